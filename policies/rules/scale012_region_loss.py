"""SCALE012: the loss of a region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.sizing.advice import Objection as Advised
from gpufleet.sizing.explanation import shown_share
from gpufleet.sizing.headroom import worst_loss
from policies.rule import Objection, Settings, Severity
from policies.sizing_rule import Platform, ServingRule, as_objection, objections
from policies.view import View

_BEFORE = ("demand", "model-fit")


class RegionLossSettings(Settings):
    """What SCALE012 counts."""

    count_spot: bool = False
    """Whether spot nodes of the regions that are left count."""


class RegionLoss(ServingRule[RegionLossSettings]):
    """In production, with any one region lost, the regular nodes of the others carry the whole demand.

    Front Door sends the users of a lost region to the others within seconds; nodes that aren't declared there can't be
    added in that time, and a maximum that is raised while everybody else raises theirs finds no capacity. Nor do spot
    nodes count, unless `countSpot` says so: when a region is lost the others are short of capacity, and spot is what
    Azure takes back first. Regular pools count at their maximum, shared by all models that may run on them. Only
    production promises to survive it, and with a single region there is nothing to fall back on (SCALE011).

    What counts is the sum of the other regions, at the hour at which most is asked for. That is the least that must be
    there, and not all: Front Door sends users to the nearest region and doesn't know of load, so one region can be
    short while another has room. `gpufleet outlook` follows the users, and says so beside its table; no rule fails for
    it, for weights, priorities and spot nodes of that region are cures as well as more regular nodes.
    """

    id = "SCALE012"
    severity = Severity.HIGH
    measure = "missingPercent"
    fix = "Raise nodes.max of regular pools in the other regions; `gpufleet size` proposes by how much"
    source = "AKS reliability-multi-region-deployment-models, spot-node-pool"
    settings = RegionLossSettings
    questions = ("region-loss",)

    def subjects(self, view: View) -> Iterable[Platform]:
        """The inference platform of production, when it has models and two regions."""
        return [one for one in super().subjects(view) if view.production and len(one.declared.regions) > 1]

    def judge(self, subject: Platform, view: View, settings: RegionLossSettings) -> Iterator[Objection]:
        """Whether the demand is met with the worst region lost; it isn't when it isn't met with all of them."""
        before = [found for found in objections(view, subject) if found.rule in _BEFORE]
        for found in before:
            yield as_objection(found, message=f"with every region up already, {found.message}")
        lost = worst_loss(subject.declared, spot=settings.count_spot)
        # Sums of floats: what suffices exactly must not fail by the last digit.
        if before or lost is None or lost[1] <= 1 + 1e-9:
            return
        nodes = "all nodes, spot included," if settings.count_spot else "the regular nodes"
        yield as_objection(
            Advised(
                rule="region-loss",
                path=subject.path("regions"),
                message=f"with {lost[0]} lost {nodes} of the other regions give {shown_share(1 / lost[1])} of the "
                "declared demand at their most",
                fix="",
                amount=100 * (1 - 1 / lost[1]),
            )
        )

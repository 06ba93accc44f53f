"""SCALE012: the loss of a region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Settings, Severity
from policies.sizing_rule import Fabric, Platform, ServingRule, as_objection, objections
from policies.view import View

_BEFORE = ("demand", "model-fit")


class RegionLoss(ServingRule[Settings]):
    """In production, with any one region lost, the others at their maximum carry the whole demand.

    Front Door sends the users of a lost region to the others within seconds; nodes that aren't declared there can't be
    added in that time, and a maximum that is raised while everybody else raises theirs finds no capacity. All pools of
    the other regions count at their maximum, spot ones too, and are shared by all models. Only production promises to
    survive it, and with a single region there is nothing to fall back on (SCALE011).
    """

    id = "SCALE012"
    severity = Severity.HIGH
    measure = "missingPercent"
    fix = "Raise nodes.max in the other regions; `gpufleet size` proposes by how much"
    source = "AKS reliability-multi-region-deployment-models"
    questions = ("region-loss",)

    def subjects(self, view: View) -> Iterable[Platform]:
        """The inference platform of production, when it has models and two regions."""
        return [one for one in super().subjects(view) if view.production and len(one.declared.regions) > 1]

    def judge(self, subject: Fabric | Platform, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the demand is met with the worst region lost; it isn't when it isn't met with all of them."""
        yield from super().judge(subject, view, settings)
        for found in objections(view, subject):
            if found.rule in _BEFORE:
                yield as_objection(found, message=f"with every region up already, {found.message}")

"""SCALE014: the tier of the control plane."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.catalog import limits
from policies.reading import total
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_PAID = ("standard", "premium")


class ControlPlaneTierSettings(Settings):
    """What SCALE014 allows."""

    max_free_nodes: int = limits.value("aks.nodes_per_cluster_free_tier")
    """Nodes of a cluster whose control plane is free: AKS recommends no more."""


class ControlPlaneTier(Rule[Resource, ControlPlaneTierSettings]):
    """A cluster of production, or of more than 10 nodes, has a control plane of the Standard or Premium tier.

    The Free tier has no SLA and an API server that is not scaled with the cluster: AKS recommends it for up to 10 nodes
    and stops it at 1,000. A paid one (0.10 USD an hour) has 99.9 %, and 99.95 % over zones.
    """

    id = "SCALE014"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "maxNodes"
    fix = "Set `cluster: { tier: Standard }`"
    source = "AKS free-standard-pricing-tiers, best-practices-performance-scale-large"
    settings = ControlPlaneTierSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """All clusters."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: ControlPlaneTierSettings) -> Iterator[Objection]:
        """Whether a free control plane is enough."""
        tier = subject.properties.text("sku", "tier") or "Free"
        if tier.casefold() in _PAID:
            return
        nodes = total(view.pools_of(subject), lambda pool: pool.peak)
        at = ("cluster", "tier")
        if view.production:
            message = f"the control plane is {tier}, which has no SLA, and this is production"
            yield Objection(message=message, setting=at, amount=nodes.known)
        elif nodes.known > settings.max_free_nodes:
            yield Objection(
                message=f"the control plane is {tier}, which is for up to {settings.max_free_nodes:,} nodes, and there "
                f"may be {nodes.known:,} with surge",
                setting=at,
                amount=nodes.known,
            )
        nodes.settle()

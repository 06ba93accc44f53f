"""SCALE003: the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.catalog import limits
from policies.reading import total
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View


class ClusterNodes(Rule[Resource, Settings]):
    """A cluster has at most 5,000 nodes with every pool at its maximum and upgrading.

    AKS stops at 5,000 nodes, and at 400 with kubenet. An upgrade with surge adds nodes on top of the maximum, so a
    cluster that just fits can be full in the middle of an upgrade, and neither scales nor heals until that is over.
    """

    id = "SCALE003"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "maxNodes"
    fix = "Lower the pools' maxima, or put pools into another fabric or region"
    source = "AKS container-service-limits, best-practices-performance-scale-large"

    def subjects(self, view: View) -> Iterable[Resource]:
        """All clusters."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the pools' nodes, surge included, fit."""
        kubenet = (subject.properties.text("networkProfile", "networkPlugin") or "").casefold() == "kubenet"
        most = limits.value("aks.nodes_per_cluster_kubenet" if kubenet else "aks.nodes_per_cluster")
        nodes = total(view.pools_of(subject), lambda pool: pool.peak)
        if nodes.known > most:
            yield Objection(
                message=f"the cluster may have {nodes.known:,} nodes, surge and system pool included, and AKS takes "
                f"{most:,}{' with kubenet' if kubenet else ''}",
                setting=("pools",),
                amount=nodes.known,
            )
        nodes.settle()

"""SCALE004: the pools of a cluster, and the nodes of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.catalog import limits
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Pool, Resource, View


class Pools(Rule[Resource, Settings]):
    """A cluster has at most 100 pools, and a pool at most 1,000 nodes.

    A pool is a virtual machine scale set, which holds 1,000 machines, and AKS manages 100 of them in a cluster. Azure
    refuses what is beyond, with half of the change already made. Every InfiniBand domain is a pool of its own, so a
    plain number of RDMA nodes counts once for each 100 of them.
    """

    id = "SCALE004"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    waivable = False
    fix = "Put pools into another fabric or region"
    source = "AKS container-service-limits"

    def subjects(self, view: View) -> Iterable[Resource]:
        """All clusters and pools."""
        return (*view.resources(CLUSTER), *view.pools)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether it has at most as many pools, or nodes, as Azure takes."""
        if isinstance(subject, Pool):
            most = limits.value("aks.nodes_per_pool")
            if subject.most > most:
                yield Objection(
                    message=f"{subject.name} may grow to {subject.most:,} nodes, and a pool has at most {most:,}",
                    fix="Make several pools of it",
                    setting=("nodes", "max"),
                )
            return
        pools, most = len(view.pools_of(subject)), limits.value("aks.pools_per_cluster")
        if pools > most:
            yield Objection(
                message=f"the cluster has {pools:,} pools, InfiniBand domains and system pool included, and AKS takes "
                f"{most:,}",
                setting=("pools",),
            )

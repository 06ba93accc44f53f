"""PLAT004: training and spot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.spec.training import TrainingFabric
from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class NoGangOnSpot(Rule[Pool, Settings]):
    """No GPU pool that trains as a gang is spot: neither one with InfiniBand nor one of a fabric with a workload.

    A gang runs as long as all of its nodes do. Azure takes a spot node back with about 30 seconds' notice, so with one
    node the work of all of them since the last checkpoint is lost, and the rest is paid for while it waits: 63 nodes of
    64. Whether ND sizes with InfiniBand can be had as spot at all, no documentation says. CPU pools of a fabric may be
    spot: data preparation can be taken up again.
    """

    id = "PLAT004"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Make the pool regular, or train without a gang in a fabric without `workload`"
    source = "AKS spot-node-pool"

    def subjects(self, view: View) -> Iterable[Pool]:
        """GPU pools with InfiniBand, GPU pools of fabrics with a workload, and those of which nobody can tell."""
        return may(view.pools, lambda pool: pool.size.is_gpu and (pool.size.rdma or _trains(pool, view)))

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether it is spot."""
        if not subject.spot or not subject.size.is_gpu:
            return
        if subject.size.rdma or _trains(subject, view):
            why = "has InfiniBand" if subject.size.rdma else "is in a training fabric with a workload"
            yield Objection(
                message=f"{subject.name} is spot and {why}: a node goes with 30 seconds' notice, and the gang with it",
                setting=("priority",),
            )


def _trains(pool: Pool, view: View) -> bool:
    if pool.place is None or pool.place.kind != "training" or view.declared is None:
        return False
    fabrics: list[TrainingFabric] = view.declared.environment.training
    return any(fabric.name == pool.place.node.name and fabric.workload is not None for fabric in fabrics)

"""PLAT004: training and spot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class NoGangOnSpot(Rule[Pool, Settings]):
    """No GPU pool that trains as a gang is spot, and none for training jobs that don't resume from a checkpoint.

    A gang runs as long as all of its nodes do. Azure takes a spot node back with about 30 seconds' notice, so with one
    node the work of all of them since the last checkpoint is lost, and the rest is paid for while it waits: 63 nodes of
    64. Whether ND sizes with InfiniBand can be had as spot at all, no documentation says. Sizes without InfiniBand are
    for jobs of one node; on spot these must start again from their last checkpoint by themselves
    (`workload.checkpoint.resume`), or an eviction throws all their work away. CPU pools of a fabric may be spot: data
    preparation can be taken up again.
    """

    id = "PLAT004"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Make the pool regular, or, without InfiniBand, let its jobs resume and declare workload.checkpoint.resume"
    source = "AKS spot-node-pool"

    def subjects(self, view: View) -> Iterable[Pool]:
        """GPU pools with InfiniBand, GPU pools of training fabrics, and those of which nobody can tell."""
        return may(view.pools, lambda pool: pool.size.is_gpu and (pool.size.rdma or _trains(pool)))

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether it is spot, and what runs on it."""
        if not subject.spot or not subject.size.is_gpu:
            return
        why = ""
        if subject.size.rdma:
            why = "has InfiniBand: a node goes with 30 seconds' notice, and the gang with it"
        elif _trains(subject) and not _resumes(subject, view):
            why = "in a training fabric whose jobs don't resume from a checkpoint: a node's work goes with it"
        if why:
            yield Objection(message=f"{subject.name} is spot and {why}", setting=("priority",))


def _trains(pool: Pool) -> bool:
    return pool.place is not None and pool.place.kind == "training"


def _resumes(pool: Pool, view: View) -> bool:
    if pool.place is None or view.declared is None:
        return False
    name, fabrics = pool.place.node.name, view.declared.environment.training
    return any(one.name == name and one.workload is not None and one.workload.checkpoint.resume for one in fabrics)

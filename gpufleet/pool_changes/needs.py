"""Which running jobs a change of pools would take nodes from, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gpufleet.pool_changes.changes import Kind, PoolChange, shrinks
from gpufleet.pool_changes.jobs import Job, agent_pool_of
from gpufleet.pool_changes.pools import AgentPool


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """A pool that would have fewer nodes than its jobs hold, or in which a job's node may be the one that goes.

    Attributes:
        scope: training fabric.
        pool: name of the pool in the specification.
        agent_pool: AKS name, when jobs are known to run in one that goes or shrinks; "" for the pool as a whole.
        now: nodes that it may have now; None when that is not known.
        wanted: nodes that would be left of those that exist.
        needed: nodes that its jobs hold.
        jobs: the largest first.
    """

    change: PoolChange
    scope: str
    pool: str
    agent_pool: str
    now: int | None
    wanted: int
    needed: int
    jobs: tuple[Job, ...]

    @property
    def certain(self) -> bool:
        """Whether jobs lose nodes whichever go; else AKS may choose nodes that no job holds, and may not."""
        return self.needed > self.wanted


def shortfalls(changes: Iterable[PoolChange], jobs: Sequence[Job], *, scope: str) -> tuple[Shortfall, ...]:
    """The pools of one fabric that a run would take nodes from which jobs hold.

    Two bounds: of a pool, the jobs' nodes must fit into those agent pools that stay, at their new maximum, for a new
    agent pool has new nodes and nothing of a job that runs; of each agent pool, the nodes that are known to be held in
    it must fit into what it may have then. The second finds a job in the one InfiniBand domain that goes while the rest
    of the pool has room.

    Args:
        changes: of the run.
        jobs: of the fabric's cluster.
        scope: name of the fabric.
    """
    found = [
        shortfall
        for change in changes
        if change.scope == scope and change.takes_nodes
        for shortfall in _of_pool(change, [job for job in jobs if job.pool == change.pool])
    ]
    return tuple(sorted(found, key=lambda one: (one.pool, one.agent_pool)))


def _of_pool(change: PoolChange, jobs: Sequence[Job]) -> Iterator[Shortfall]:
    if not jobs:
        return
    parts = list(_parts(change, jobs))
    yield from parts
    if any(part.certain for part in parts):
        return  # says more than the pool as a whole
    before = [*change.gone, *(old for old, _ in change.changed), *change.kept]
    left = _left(change)
    needed = max(sum(job.count for job in jobs), len(frozenset().union(*(job.nodes for job in jobs))))
    if left is not None and needed > left:
        yield Shortfall(
            change=change,
            scope=change.scope,
            pool=change.pool,
            agent_pool="",
            now=_sum(before),
            wanted=left,
            needed=needed,
            jobs=_largest(jobs),
        )


def _parts(change: PoolChange, jobs: Sequence[Job]) -> Iterator[Shortfall]:
    """Agent pools that go or shrink, and in which jobs are known to hold nodes."""
    leaves = [(pool, 0) for pool in change.gone]
    for old, new in change.changed:
        if change.kind is Kind.REPLACED:
            leaves.append((old, 0))
        elif new.most is not None and shrinks(old, new):
            leaves.append((old, new.most))
    for pool, left in leaves:
        held = {job: frozenset(node for node in job.nodes if agent_pool_of(node) == pool.name) for job in jobs}
        needed = len(frozenset().union(*held.values()))
        if needed:
            yield Shortfall(
                change=change,
                scope=change.scope,
                pool=change.pool,
                agent_pool=pool.name,
                now=pool.most,
                wanted=left,
                needed=needed,
                jobs=_largest(job for job, nodes in held.items() if nodes),
            )


def _left(change: PoolChange) -> int | None:
    """Nodes that the pool may still have of those that exist; None when nobody knows."""
    if change.kind is Kind.REPLACED:
        return sum(pool.most or 0 for pool in change.kept)
    return _sum([*(new for _, new in change.changed), *change.kept])


def _sum(pools: Iterable[AgentPool]) -> int | None:
    known = [pool.most for pool in pools]
    return sum(count for count in known if count is not None) if None not in known else None


def _largest(jobs: Iterable[Job]) -> tuple[Job, ...]:
    return tuple(sorted(jobs, key=lambda job: (-job.count, job.name)))

"""From a fabric to its teams and what each may use at most, in nodes of its GPU pools."""

from __future__ import annotations

from gpufleet.catalog import sizes
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.queue import DEFAULT_TEAM, Team
from gpufleet.spec.training import TrainingFabric


def queued_pools(fabric: TrainingFabric) -> list[Pool]:
    """The pools that the queue gives out: those with GPUs, in the order of the file."""
    return [pool for pool in fabric.pools if (size := sizes.find(pool.sku)) is not None and size.is_gpu]


def most_nodes(pool: Pool) -> int:
    """The most nodes of a pool, surge apart."""
    return sum(plan.max_nodes for plan in agent_pools(pool))


def teams(fabric: TrainingFabric) -> list[Team]:
    """The teams as declared, or the one team that has every GPU node."""
    nodes = {pool.name: most_nodes(pool) for pool in queued_pools(fabric)}
    if not nodes:
        return []
    return list(fabric.queue.teams) or [Team(name=DEFAULT_TEAM, nominalNodes=nodes)]


def reachable_nodes(fabric: TrainingFabric, team: Team, pool: str) -> int:
    """The most nodes of a pool that a job of the team can get: its own and what it may borrow of what others lend.

    Kueue's arithmetic: nominal quota + min(borrowing limit, sum of the others' lendable quota).
    """
    lent = sum(
        min(other.nominal_nodes.get(pool, 0), other.lending_nodes.get(pool, other.nominal_nodes.get(pool, 0)))
        for other in teams(fabric)
        if other.name != team.name
    )
    return team.nominal_nodes.get(pool, 0) + min(team.borrowing_nodes.get(pool, lent), lent)

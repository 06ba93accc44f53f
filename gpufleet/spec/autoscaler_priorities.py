"""What the cluster autoscaler's priority expander is told of a cluster's pools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpufleet.spec.autoscaler import Autoscaler, Expander
from gpufleet.spec.base import Priority
from gpufleet.spec.pool import NodeRange, Pool

SPOT_PRIORITY = 20
REGULAR_PRIORITY = 10
"""The highest number wins (kubernetes/autoscaler expander/priority readme); Microsoft's sample has them the other way
round."""


def autoscaled(pools: Iterable[Pool]) -> list[Pool]:
    """The pools that the autoscaler has a hand in."""
    return [pool for pool in pools if isinstance(pool.nodes, NodeRange)]


def has_priorities(pools: Sequence[Pool], autoscaler: Autoscaler) -> bool:
    """Whether the autoscaler follows priorities: it is told to, spot and regular pools share a cluster, or a pool
    states one."""  # noqa: D205, D209
    mine = autoscaled(pools)
    if autoscaler.expander is not None:
        return autoscaler.expander is Expander.PRIORITY and bool(mine)
    mixed = {pool.priority for pool in mine} == {Priority.SPOT, Priority.REGULAR}
    return mixed or any(pool.autoscaler_priority is not None for pool in mine)


def priority_of(pool: Pool) -> int:
    """The number of a pool: what it states, or its tier's."""
    if pool.autoscaler_priority is not None:
        return pool.autoscaler_priority
    return SPOT_PRIORITY if pool.priority is Priority.SPOT else REGULAR_PRIORITY

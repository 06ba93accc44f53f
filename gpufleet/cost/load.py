"""How many nodes a pool runs on average, and how much of them is used, from what the specification declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.cost.money import ZERO, decimal
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import Priority
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.usage import HOURS_PER_WEEK

_WHOLE = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class PoolLoad:
    """One pool, averaged over the week.

    Attributes:
        nodes: nodes that run, and are paid for, between the pool's minimum and maximum.
        used: nodes that have work; the rest of `nodes` is idle.
        declared: whether the specification says how much is used. Without it both are the maximum.
    """

    nodes: Decimal
    used: Decimal
    declared: bool


def pool_loads(environment: Environment) -> Mapping[tuple[str, str], PoolLoad]:
    """The load of every pool by scope and pool name.

    With `wanted = max * utilisation` while there is work, `s` the share of the week with work:

    - an autoscaled pool runs `min + s * (clamp(wanted, min, max) - min)` nodes, a fixed one all of its nodes;
    - a spot pool gets `wanted * availability` of them; the rest runs on regular pools of the same size in the same
      scope, as far as these reach their maximum, and waits beyond that.
    """
    loads: dict[tuple[str, str], PoolLoad] = {}
    for scope in scopes(environment):
        loads |= {(scope.name, name): load for name, load in _scope_loads(scope).items()}
    return loads


def bounds_of(pool: Pool) -> tuple[Decimal, Decimal]:
    """The fewest and the most nodes of a pool, all InfiniBand domains together."""
    if isinstance(pool.nodes, NodeRange):
        return Decimal(pool.nodes.min), Decimal(pool.nodes.max)
    return Decimal(pool.nodes), Decimal(pool.nodes)


def _scope_loads(scope: Scope) -> dict[str, PoolLoad]:
    loads = {pool.name: _own_load(pool) for pool in scope.pools}
    for spot in scope.pools:
        left = _without_capacity(spot)
        for pool in scope.pools:
            if pool.sku != spot.sku or pool.priority is not Priority.REGULAR or not left:
                continue
            load, most = loads[pool.name], bounds_of(pool)[1]
            # A node more for each that moves, up to the maximum: the pool's idle nodes may be idle at other hours.
            moved = min(left, most - load.used)
            more = min(most, load.nodes + moved)
            loads[pool.name] = PoolLoad(nodes=more, used=load.used + moved, declared=load.declared)
            left -= moved
    return loads


def _own_load(pool: Pool) -> PoolLoad:
    least, most = bounds_of(pool)
    if pool.usage is None:
        return PoolLoad(nodes=most, used=most, declared=False)
    week = _share_of_week(pool)
    with_work = most * _share(pool.usage.utilization_percent) * (1 - _missing_share(pool))
    while_working = min(max(with_work, least), most)
    return PoolLoad(nodes=least + week * (while_working - least), used=week * with_work, declared=True)


def _without_capacity(pool: Pool) -> Decimal:
    """Nodes with work that a spot pool does not get, averaged over the week."""
    if pool.usage is None:
        return ZERO
    wanted = bounds_of(pool)[1] * _share(pool.usage.utilization_percent)
    return wanted * _missing_share(pool) * _share_of_week(pool)


def _missing_share(pool: Pool) -> Decimal:
    percent = pool.usage.spot_availability_percent if pool.usage else None
    return ZERO if percent is None or pool.priority is not Priority.SPOT else 1 - _share(percent)


def _share_of_week(pool: Pool) -> Decimal:
    return decimal(pool.usage.hours_per_week) / HOURS_PER_WEEK if pool.usage else Decimal(1)


def _share(percent: float) -> Decimal:
    return decimal(percent) / _WHOLE

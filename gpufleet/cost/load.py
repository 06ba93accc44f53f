"""How many nodes a pool runs on average, and how much of them is used, from what the specification declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog import scale_down
from gpufleet.cost.money import ZERO, decimal
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import Path, Priority
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.stopped_hours import MINUTES_PER_WEEK, stops
from gpufleet.spec.teams import queued_pools
from gpufleet.spec.training import TrainingFabric
from gpufleet.spec.usage import HOURS_PER_WEEK

_WHOLE = Decimal(100)
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, kw_only=True)
class Week:
    """Hours of the week that a pool may work.

    Attributes:
        open: in which it may have work.
        paid: in which nodes of it may run: `open`, and after each stop's begin the time that the autoscaler waits.
    """

    open: Decimal
    paid: Decimal


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


_ALL_WEEK = Week(open=Decimal(HOURS_PER_WEEK), paid=Decimal(HOURS_PER_WEEK))


def pool_loads(environment: Environment) -> Mapping[tuple[str, str], PoolLoad]:
    """The load of every pool by scope and pool name.

    With `wanted = max * utilisation` while there is work, `s` the share of the week with work, at most what schedules
    leave open, and `p` the same with the minutes after each stop's begin until the autoscaler takes the nodes:

    - an autoscaled pool runs `min + p * (clamp(wanted, min, max) - min)` nodes, a fixed one all of its nodes;
    - without declared use both `wanted` and a fixed pool's nodes are the maximum;
    - a spot pool gets `wanted * availability` of them; the rest runs on regular pools of the same size in the same
      scope, as far as these reach their maximum, and waits beyond that.
    """
    loads: dict[tuple[str, str], PoolLoad] = {}
    for scope in scopes(environment):
        loads |= {(scope.name, name): load for name, load in _scope_loads(scope, _weeks(environment, scope)).items()}
    return loads


def bounds_of(pool: Pool) -> tuple[Decimal, Decimal]:
    """The fewest and the most nodes of a pool, all InfiniBand domains together."""
    if isinstance(pool.nodes, NodeRange):
        return Decimal(pool.nodes.min), Decimal(pool.nodes.max)
    return Decimal(pool.nodes), Decimal(pool.nodes)


def _weeks(environment: Environment, scope: Scope) -> Mapping[str, Week]:
    """By pool, what schedules leave of the week: a hold of the queues stops the pools that these give out."""
    fabrics: dict[Path, TrainingFabric] = {("training", place): one for place, one in enumerate(environment.training)}
    fabric = fabrics.get(scope.path)
    if fabric is None or not fabric.schedules:
        return dict.fromkeys((pool.name for pool in scope.pools), _ALL_WEEK)
    found = stops(fabric.schedules)
    closed = sum(stop.minutes for stop in found)
    waits = sum(min(_wait_minutes(fabric), stop.minutes) for stop in found)
    stopped = Week(
        open=Decimal(MINUTES_PER_WEEK - closed) / _MINUTES_PER_HOUR,
        paid=Decimal(MINUTES_PER_WEEK - closed + waits) / _MINUTES_PER_HOUR,
    )
    queued = {pool.name for pool in queued_pools(fabric)}
    return {pool.name: stopped if pool.name in queued else _ALL_WEEK for pool in scope.pools}


def _wait_minutes(fabric: TrainingFabric) -> int:
    """How long the autoscaler leaves an idle node alone. The specification refuses schedules in production."""
    stated = fabric.cluster.autoscaler.scale_down_unneeded_time
    return int(stated.removesuffix("m")) if stated else scale_down.of_training(production=False).unneeded_minutes


def _scope_loads(scope: Scope, weeks: Mapping[str, Week]) -> dict[str, PoolLoad]:
    loads = {pool.name: _own_load(pool, weeks[pool.name]) for pool in scope.pools}
    for spot in scope.pools:
        left = _without_capacity(spot, weeks[spot.name])
        for pool in scope.pools:
            if pool.sku != spot.sku or pool.priority is not Priority.REGULAR or not left:
                continue
            load, week, most = loads[pool.name], weeks[pool.name], bounds_of(pool)[1]
            # A node more for each that moves, up to the maximum: the pool's idle nodes may be idle at other hours.
            moved = min(left, most * week.open / HOURS_PER_WEEK - load.used)
            more = min(most * week.paid / HOURS_PER_WEEK, load.nodes + moved)
            loads[pool.name] = PoolLoad(nodes=max(load.nodes, more), used=load.used + moved, declared=load.declared)
            left -= moved
    return loads


def _own_load(pool: Pool, week: Week) -> PoolLoad:
    least, most = bounds_of(pool)
    worked, paid = _shares_of_week(pool, week)
    if pool.usage is None:
        with_work = most
    else:
        with_work = most * _share(pool.usage.utilization_percent) * (1 - _missing_share(pool))
    while_working = min(max(with_work, least), most)
    return PoolLoad(
        nodes=least + paid * (while_working - least), used=worked * with_work, declared=pool.usage is not None
    )


def _without_capacity(pool: Pool, week: Week) -> Decimal:
    """Nodes with work that a spot pool does not get, averaged over the week."""
    if pool.usage is None:
        return ZERO
    wanted = bounds_of(pool)[1] * _share(pool.usage.utilization_percent)
    return wanted * _missing_share(pool) * _shares_of_week(pool, week)[0]


def _missing_share(pool: Pool) -> Decimal:
    percent = pool.usage.spot_availability_percent if pool.usage else None
    return ZERO if percent is None or pool.priority is not Priority.SPOT else 1 - _share(percent)


def _shares_of_week(pool: Pool, week: Week) -> tuple[Decimal, Decimal]:
    """The shares of the week with work, and with nodes for it: work that would go on into a stop ends with it."""
    hours = decimal(pool.usage.hours_per_week) if pool.usage else Decimal(HOURS_PER_WEEK)
    return min(hours, week.open) / HOURS_PER_WEEK, min(hours, week.paid) / HOURS_PER_WEEK


def _share(percent: float) -> Decimal:
    return decimal(percent) / _WHOLE

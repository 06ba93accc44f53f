"""COST011: GPU nodes that are always there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from policies.pool_prices import PoolGroup, grouped, node_hour
from policies.reading import MistypedError, UndecidedError, may, total
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Declared, View
from policies.words import usd


class IdleFloorSettings(Settings):
    """What COST011 allows."""

    max_usd_per_hour: float = 2000
    """That all GPU pools of the environment may cost an hour at their minimum: some twenty 8-GPU H100 nodes."""


class IdleFloor(Rule[Declared, IdleFloorSettings]):
    """What all GPU pools cost at their minimum, whether they have work or not, is within a limit.

    The budget holds the most that can be spent in a month; this holds what is spent when nobody does anything. A
    minimum that is raised for one run and forgotten is a dear mistake: 64 nodes of 8 H100s cost 151,000 USD a day.
    """

    id = "COST011"
    pack = Pack.COST
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "idleUsdPerHour"
    fix = "Lower a pool's minimum, or raise maxUsdPerHour of COST011 in policies/config for this environment"
    source = ""
    settings = IdleFloorSettings

    def subjects(self, view: View) -> Iterable[Declared]:
        """The environment, if it has GPU pools."""
        gpus = may(view.pools, lambda pool: pool.size.is_gpu)
        return () if view.declared is None or not gpus else (view.declared,)

    def judge(self, subject: Declared, view: View, settings: IdleFloorSettings) -> Iterator[Objection]:
        """The sum over its GPU pools."""
        pools = grouped(view.pools)
        floors = dict(_known(view, pools))
        floor, most = sum(floors.values(), Decimal(0)), Decimal(str(settings.max_usd_per_hour))
        if floor > most:
            pool, part = max(floors.items(), key=lambda found: found[1])
            yield Objection(
                message=f"GPU nodes that are always there cost {usd(floor)} an hour, and {usd(most)} are allowed; the "
                f"largest part is {usd(part)} for {pool.least:,} nodes of {pool.label}",
                at=pool.path("nodes"),
                amount=floor,
            )
        # What can't be read hides nothing of what can, and is no zero either.
        total(pools, lambda pool: int(_floor(view, pool) > 0)).settle()


def _known(view: View, pools: Iterable[PoolGroup]) -> Iterator[tuple[PoolGroup, Decimal]]:
    for pool in pools:
        try:
            floor = _floor(view, pool)
        except (UndecidedError, MistypedError):
            continue
        if floor:
            yield pool, floor


def _floor(view: View, pool: PoolGroup) -> Decimal:
    """USD an hour for its GPU nodes that are always there. Raises as the readings of a pool do."""
    if not pool.size.is_gpu or not pool.least:
        return Decimal(0)
    return pool.least * node_hour(view, pool.size.name, pool.region, pool.priority)

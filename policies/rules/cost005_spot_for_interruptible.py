"""COST005: spot for work that may be interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from gpufleet.spec.base import Priority
from policies.pool_prices import PoolGroup, grouped, node_hour
from policies.reading import UndecidedError, may, surely
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import View
from policies.words import usd


class InterruptibleWorkSettings(Settings):
    """What COST005 lets pass."""

    min_monthly_usd: float = 50_000
    """Below this expected cost a month a pool isn't worth the care that spot needs."""


class InterruptibleWork(Rule[PoolGroup, InterruptibleWorkSettings]):
    """CPU pools that scale to zero, for work that starts again, run on spot nodes or beside them.

    A pool that may be gone altogether serves nobody: it prepares data or runs batches, which an eviction with 30
    seconds' notice only delays. Spot prices of sizes that have a public one are 11 to 25 % of the regular price. A
    regular pool beside a spot pool of its size is the fallback that it should have.
    """

    id = "COST005"
    pack = Pack.COST
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    measure = "monthlyUsd"
    fix = "Add a spot pool of the same size, and let this one be its fallback"
    source = "AKS spot-node-pool"
    settings = InterruptibleWorkSettings

    def subjects(self, view: View) -> Iterable[PoolGroup]:
        """Regular CPU pools without a minimum, and what can't be read."""
        return () if view.declared is None else may(grouped(view.pools), _interruptible)

    def judge(self, subject: PoolGroup, view: View, settings: InterruptibleWorkSettings) -> Iterator[Objection]:
        """Whether it costs enough to matter, and has a spot pool beside it."""
        if not _interruptible(subject) or (_place(subject), subject.size.name) in _spot_pools(view):
            return
        cost = sum((_costs(view).get(pool.urn, Decimal(0)) for pool in subject.pools), Decimal(0))
        if cost >= Decimal(str(settings.min_monthly_usd)):
            yield Objection(
                message=f"{subject.name} may be interrupted and is expected to cost {usd(cost)} a month at the regular "
                f"price{_spot(view, subject)}",
                setting=("priority",),
                amount=cost,
            )


def _interruptible(pool: PoolGroup) -> bool:
    return not pool.size.is_gpu and not pool.spot and not any(one.system for one in pool.pools) and pool.least == 0


def _place(pool: PoolGroup) -> str:
    return pool.pools[0].place.urn if pool.pools[0].place else ""


@lru_cache(maxsize=1)
def _spot_pools(view: View) -> frozenset[tuple[str, str]]:
    """Place and size of every spot pool, as far as they can be read."""
    found = surely(grouped(view.pools), lambda pool: pool.spot and bool(pool.size.name))
    return frozenset((_place(pool), pool.size.name) for pool in found)


@lru_cache(maxsize=1)
def _costs(view: View) -> Mapping[str, Decimal]:
    """By URN of the resource, what its nodes are expected to cost a month."""
    costs: dict[str, Decimal] = {}
    for line in view.estimate.lines:
        if line.priority is not None:
            costs[line.origin.urn] = costs.get(line.origin.urn, Decimal(0)) + line.amount.monthly.expected
    return costs


def _spot(view: View, pool: PoolGroup) -> str:
    try:
        spot = node_hour(view, pool.size.name, pool.region, Priority.SPOT)
    except UndecidedError:
        return ""
    regular = node_hour(view, pool.size.name, pool.region)
    return f" of {usd(regular)} an hour; spot is {usd(spot)}"

"""COST005: spot for work that may be interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gpufleet.spec.base import Priority
from policies.pool_prices import PoolGroup, grouped, node_hour
from policies.reading import UndecidedError, may
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
        if not _interruptible(subject) or any(_fallback_of(subject, other) for other in grouped(view.pools)):
            return
        urns = {pool.urn for pool in subject.pools}
        lines = [line for line in view.estimate.lines if line.origin.urn in urns and line.priority is not None]
        cost = sum((line.amount.monthly.expected for line in lines), Decimal(0))
        if cost >= Decimal(str(settings.min_monthly_usd)):
            yield Objection(
                message=f"{subject.name} may be interrupted and is expected to cost {usd(cost)} a month at the regular "
                f"price{_spot(view, subject)}",
                setting=("priority",),
                amount=cost,
            )


def _interruptible(pool: PoolGroup) -> bool:
    return not pool.size.is_gpu and not pool.spot and not any(one.system for one in pool.pools) and pool.least == 0


def _fallback_of(pool: PoolGroup, other: PoolGroup) -> bool:
    return other.pools[0].place is pool.pools[0].place and other.spot and other.size == pool.size


def _spot(view: View, pool: PoolGroup) -> str:
    try:
        spot = node_hour(view, pool.size.name, pool.region, Priority.SPOT)
    except UndecidedError:
        return ""
    regular = node_hour(view, pool.size.name, pool.region)
    return f" of {usd(regular)} an hour; spot is {usd(spot)}"

"""How long old and new nodes of a pool exist side by side, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog import provisioning
from gpufleet.cost.charge import VmMeter
from gpufleet.cost.money import ZERO, cents, decimal
from gpufleet.cost.overlaps import hourly
from gpufleet.cost.price_book import PriceBook
from gpufleet.cost.rates import NoRate
from gpufleet.pool_changes.changes import PoolChange
from gpufleet.pool_changes.pools import AgentPool
from gpufleet.spec.base import Priority


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Old nodes beside new ones, while a pool rotates.

    Attributes:
        nodes: of the old agent pools, at most; None when their number is not known.
        minutes: how long, when Azure has the capacity at once and the drains take their longest.
        hourly: USD an hour for the old nodes; a reason when they have no price.
    """

    nodes: int | None
    minutes: int
    hourly: Decimal | NoRate

    @property
    def usd(self) -> Decimal | NoRate:
        """What `minutes` of it cost, to the cent."""
        return self.hourly if isinstance(self.hourly, NoRate) else cents(self.hourly * self.minutes / 60)


def overlap_of(change: PoolChange, book: PriceBook) -> Overlap | None:
    """The overlap of a pool whose agent pools are replaced by others; None where nothing is.

    The engine makes all new resources first and deletes at the end of the run, so the old pools are there until the
    last new one is. The price is that of the old nodes: without the rotation, or after it, they would not run beside
    the new ones. Waiting for capacity makes it longer; then what an hour costs is what counts.
    """
    if not change.overlaps:
        return None
    made = provisioning.time_of("AKS agent pool made and deleted").seconds[1]
    drained = provisioning.time_of("drain of a node of a pool that is deleted").seconds[1]
    known = [pool.most for pool in change.gone if pool.most is not None]
    return Overlap(
        nodes=sum(known) if len(known) == len(change.gone) else None,
        minutes=-int(-(made + drained) // 60),
        hourly=_hourly(change.gone, book),
    )


def _hourly(pools: Iterable[AgentPool], book: PriceBook) -> Decimal | NoRate:
    total = ZERO
    for pool in pools:
        if pool.most is None or not pool.size or not pool.region:
            missing = "region" if pool.size and pool.most is not None else "size or number of nodes"
            return NoRate(f"the {missing} of {pool.name} is not known", "")
        meter = VmMeter(pool.size, Priority.SPOT if pool.spot else Priority.REGULAR)
        found = hourly(meter, pool.region, pool.most, book) if pool.most else decimal(0)
        if isinstance(found, NoRate):
            return found
        total += found
    return total

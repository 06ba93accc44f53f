"""What nodes cost: pools of one name taken together, and the price of one node an hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog.sizes import Size
from gpufleet.errors import GpufleetError
from gpufleet.spec.base import Path, Priority
from policies.reading import UndecidedError
from policies.view import Pool, View


@dataclass(frozen=True, eq=False)
class PoolGroup:
    """Agent pools that are one pool of the specification: a fixed number of nodes becomes several InfiniBand domains.

    They are alike in size and priority: one that is not stands in a group of its own.
    """

    pools: tuple[Pool, ...]

    @property
    def urn(self) -> str:
        """Of the first pool."""
        return self.pools[0].urn

    @property
    def label(self) -> str:
        """`training/lab/pools/h100`."""
        return self.pools[0].label

    @property
    def name(self) -> str:
        """Name of the pool in the specification."""
        return self.pools[0].name

    @property
    def size(self) -> Size:
        """See `policies.view.Pool`."""
        return self.pools[0].size

    @property
    def spot(self) -> bool:
        """See `policies.view.Pool`."""
        return self.pools[0].spot

    @property
    def priority(self) -> Priority:
        """In the words of the specification."""
        return Priority.SPOT if self.spot else Priority.REGULAR

    @property
    def region(self) -> str:
        """See `policies.view.Pool`."""
        return self.pools[0].region

    @property
    def least(self) -> int:
        """Nodes that are always there, in all of them. Raises as `Pool.least`."""
        return sum(max(pool.least, 0) for pool in self.pools)

    def path(self, *setting: str | int) -> Path:
        """See `policies.rule.Subject`."""
        return self.pools[0].path(*setting)


def grouped(pools: Iterable[Pool]) -> tuple[PoolGroup, ...]:
    """Pools by name, size and priority, in the order of their first ones."""
    groups: dict[tuple[str, str, str], list[Pool]] = {}
    for pool in pools:
        kind = f"{pool.properties.values.get('vmSize')!r} {pool.properties.values.get('scaleSetPriority')!r}"
        groups.setdefault((pool.place.urn if pool.place else "", pool.name, kind), []).append(pool)
    return tuple(PoolGroup(tuple(members)) for members in groups.values())


def node_hour(view: View, size: str, region: str, priority: Priority = Priority.REGULAR) -> Decimal:
    """USD for one node of a size in a region for an hour, by the price list or a planning price of the environment.

    Raises:
        UndecidedError: nobody has a price for it.
    """
    from gpufleet.cost.charge import VmMeter  # noqa: PLC0415 a pack's start need not wait for it
    from gpufleet.cost.price_book import PriceBook  # noqa: PLC0415
    from gpufleet.cost.rates import NoRate  # noqa: PLC0415

    assumed = view.declared.environment.prices.assumed if view.declared else []
    try:
        rate = PriceBook(assumed=assumed).rate(VmMeter(size, priority), region, Decimal(1))
    except GpufleetError as error:
        raise UndecidedError(f"prices can't be read: {error.message}") from error
    if isinstance(rate, NoRate):
        raise UndecidedError(rate.reason)
    return rate.usd

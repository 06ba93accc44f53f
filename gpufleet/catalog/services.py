"""Prices of services other than VM sizes (data/services.csv): list prices, or what a company negotiated.

A meter is known by service and name, as in the table. Most prices were read in one region only: another region has no
price unless the caller says that the known one will do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from gpufleet.catalog import regions, snapshots
from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.prices import PriceKind, Unpriced
from gpufleet.catalog.table import Row, read
from gpufleet.errors import ConfigurationError

_COLUMNS = (
    *("service", "meter", "regions", "from_quantity", "usd", "unit", "unit_quantity", "period"),
    *("as_of", "source", "confidence", "note"),
)
_EVERYWHERE = "*"
_CONTINENT = "continent:"


class Period(StrEnum):
    """The time that a meter's unit is for; a meter by volume (a GB sent, 10,000 operations) has none."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    """730 hours."""

    @property
    def hours(self) -> int:
        """Its length in hours, by Azure's own reckoning of a month."""
        return {Period.HOUR: 1, Period.DAY: 24, Period.MONTH: 730}[self]


class UnknownMeterError(ConfigurationError, LookupError):
    """No such service or meter in the table."""


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A step of a graduated price."""

    from_quantity: Decimal
    """Units, of `unit_quantity` each, from which on it holds."""
    usd: Decimal | None
    """For one of those units; None when no source has it."""
    note: str


@dataclass(frozen=True, kw_only=True)
class ServicePrice:
    """What one meter costs."""

    service: str
    meter: str
    tiers: tuple[Tier, ...]
    """From quantity 0 upward; the first has a price."""
    unit: str
    """What is counted: GB, GiB, TiB, operation, cluster, resource, rule, …"""
    unit_quantity: int
    """How many of them one price is for: 10,000 for operations."""
    period: Period | None
    """The time one price is for; None for a meter by volume."""
    as_of: str
    source: str
    confidence: str
    note: str
    known_for: str
    """Regions that it was read in, `*` for everywhere, `continent:europe` for a billing zone."""
    elsewhere: bool = False
    """Whether the region asked for is not among them, so that the price is an assumption."""
    kind: PriceKind = PriceKind.LIST
    list_usd: Decimal | None = None
    """Of a negotiated price: the list price of the first tier, None when there is none."""
    reason: str = ""
    """Of a negotiated price: what was agreed."""

    @property
    def usd(self) -> Decimal:
        """Price of one unit (of `unit_quantity`) in the first tier. 0 where Azure charges nothing, and says so."""
        usd = self.tiers[0].usd
        assert usd is not None
        return usd

    def cost(self, quantity: Decimal) -> Decimal | Unpriced:
        """USD for `quantity` of `unit` in one period (a month for a meter by volume), tier by tier, not rounded.

        `Unpriced` when the quantity reaches into a tier whose price nobody knows.
        """
        billed = quantity / self.unit_quantity
        total = Decimal(0)
        ends = [*(tier.from_quantity for tier in self.tiers[1:]), None]
        for tier, end in zip(self.tiers, ends, strict=True):
            within = (billed if end is None else min(billed, end)) - tier.from_quantity
            if within <= 0:
                break
            if tier.usd is None:
                return Unpriced(f"{self.service}, {self.meter}: {tier.note}")
            total += within * tier.usd
        return total


def price(service: str, meter: str, region: str, *, elsewhere: bool = False) -> ServicePrice | Unpriced:
    """What a meter costs in a region.

    Args:
        service: as in the table, such as `NAT Gateway`.
        meter: as in the table, such as `Data processed`.
        region: programmatic name.
        elsewhere: take the price of another region when this one has none; it is then marked `elsewhere`.

    Raises:
        UnknownMeterError: the table has no such service or meter; the message names the nearest.
        CatalogError: the table or `negotiated.yaml` is damaged.
    """
    listed = _listed(service, meter, region, elsewhere=elsewhere)
    if not snapshots.negotiates():
        return listed
    from gpufleet.catalog import negotiated  # noqa: PLC0415 - pydantic and YAML are slow to load, most need neither

    return negotiated.apply_service(listed, service, meter, region)


def meters() -> tuple[tuple[str, str], ...]:
    """Every (service, meter) of the table, priced or not."""
    return tuple(_meters())


def check(service: str, meter: str) -> None:
    """Raise UnknownMeterError, naming the nearest, unless the table has this meter."""
    if (service, meter) in _meters():
        return
    services = tuple(dict.fromkeys(name for name, _ in _meters()))
    if service in services:
        cause = f"{service} has no meter {meter!r} in the price list"
        near = nearest_name(meter, [name for owner, name in _meters() if owner == service])
    else:
        cause = f"no service {service!r} in the price list"
        near = nearest_name(service, services)
    raise UnknownMeterError(cause + (f"; the nearest is {near}" if near else ""))


def first_meter(service: str) -> str:
    """Some meter of a service, empty for one that the table doesn't have."""
    return next((meter for owner, meter in _meters() if owner == service), "")


def unit_of(service: str, meter: str) -> ServicePrice:
    """A meter's unit and period, with a tier that has no price: what a negotiated price is put into."""
    check(service, meter)
    row = next(iter(_meters()[service, meter].values()))[0]
    return _service_price(service, meter, [row])


def _listed(service: str, meter: str, region: str, *, elsewhere: bool) -> ServicePrice | Unpriced:
    check(service, meter)
    by_region = _meters()[service, meter]
    for known_for, rows in by_region.items():
        if _covers(known_for, region):
            return _priced(_service_price(service, meter, rows), rows)
    known = [
        found
        for rows in by_region.values()
        if isinstance(found := _priced(_service_price(service, meter, rows), rows), ServicePrice) and found.known_for
    ]
    if not known:
        return Unpriced(f"{service}, {meter}: {next(iter(by_region.values()))[0].cells['note']}")
    # Of several the dearest: a price that is only assumed must not flatter.
    dearest = max(known, key=lambda found: found.usd)
    if elsewhere:
        return replace(dearest, elsewhere=True)
    return Unpriced(f"{service}, {meter}: no source has a price for {region}, only for {dearest.known_for}")


def _priced(found: ServicePrice, rows: list[Row]) -> ServicePrice | Unpriced:
    if found.tiers[0].usd is None:
        return Unpriced(f"{found.service}, {found.meter}: {rows[0].text('note')}")
    return found


def _covers(known_for: str, region: str) -> bool:
    if known_for == _EVERYWHERE:
        return True
    found = regions.find(region)
    return any(
        part == region or (found is not None and part == f"{_CONTINENT}{found.continent}") for part in known_for.split()
    )


def _service_price(service: str, meter: str, rows: list[Row]) -> ServicePrice:
    first = rows[0]
    period = first.cells["period"]
    return ServicePrice(
        service=service,
        meter=meter,
        tiers=tuple(
            Tier(
                from_quantity=Decimal(row.integer("from_quantity")),
                usd=row.optional_usd("usd"),
                note=row.cells["note"],
            )
            for row in rows
        ),
        unit=first.text("unit"),
        unit_quantity=first.integer("unit_quantity"),
        period=Period(first.choice("period", *Period)) if period else None,
        as_of=first.cells["as_of"],
        source=first.cells["source"],
        confidence=first.choice("confidence", "high", "medium", "low", "missing"),
        note=first.cells["note"],
        known_for=first.cells["regions"],
    )


@lru_cache(maxsize=1)
def _meters() -> dict[tuple[str, str], dict[str, list[Row]]]:
    found: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in read("services.csv", _COLUMNS):
        tiers = found.setdefault((row.text("service"), row.text("meter")), {}).setdefault(row.cells["regions"], [])
        start = row.integer("from_quantity")
        if not tiers and start:
            raise row.error("the first tier of a meter starts at 0")
        if tiers and start <= tiers[-1].integer("from_quantity"):
            raise row.error("stands twice, or its tiers are not in order")
        missing = row.choice("confidence", "high", "medium", "low", "missing") == "missing"
        if missing == (row.optional_usd("usd") is not None):
            raise row.error("confidence is missing exactly where usd is empty")
        if not row.integer("unit_quantity"):
            raise row.error("unit_quantity is 0, and something is sold by it")
        if row.cells["period"]:
            row.choice("period", *Period)
        if not missing:
            row.text("as_of"), row.text("source")
        tiers.append(row)
    return found

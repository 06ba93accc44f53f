"""List prices of VM sizes: USD an hour, Linux, pay as you go (data/prices.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import Row, read

_COLUMNS = (
    "sku",
    "region",
    "on_demand_usd_per_hour",
    "spot_usd_per_hour",
    "on_demand_as_of",
    "spot_as_of",
    "on_demand_source",
    "spot_source",
    "note",
)


@dataclass(frozen=True)
class Price:
    """A list price with where and when it was read."""

    usd_per_hour: float
    as_of: str
    source: str
    note: str


@dataclass(frozen=True)
class Unpriced:
    """There is no price, and why: never to be read as zero."""

    reason: str


def regular(size: str, region: str) -> Price | Unpriced:
    """The pay-as-you-go price of one node."""
    row = _rows().get((size, region))
    if row is None:
        return Unpriced(_absence(size, region))
    value = row.optional_number("on_demand_usd_per_hour")
    if not value:
        return Unpriced(f"the price list has no pay-as-you-go value for {size} in {region}")
    return Price(value, row.text("on_demand_as_of"), row.text("on_demand_source"), row.cells["note"])


def spot(size: str, region: str) -> Price | Unpriced:
    """The spot price of one node: a moving value, here as last seen, and unknown for most sizes."""
    row = _rows().get((size, region))
    if row is None:
        return Unpriced(_absence(size, region))
    value = row.optional_number("spot_usd_per_hour")
    if not value:
        return Unpriced(f"no source gives a spot price for {size} in {region}")
    return Price(value, row.text("spot_as_of"), row.text("spot_source"), row.cells["note"])


def regions(size: str) -> tuple[str, ...]:
    """The regions whose price list has `size`, the cheapest first."""
    listed: list[tuple[float, str]] = []
    for name, region in _rows():
        if name == size and isinstance(price := regular(name, region), Price):
            listed.append((price.usd_per_hour, region))
    return tuple(region for _, region in sorted(listed))


def _absence(size: str, region: str) -> str:
    if region not in _priced_regions():
        return f"the price list has no meters at all for {region}"
    return f"the price list has no meter for {size} in {region}"


@lru_cache(maxsize=1)
def _priced_regions() -> frozenset[str]:
    return frozenset(region for _, region in _rows())


@lru_cache(maxsize=1)
def _rows() -> dict[tuple[str, str], Row]:
    # Cells are converted when asked for: 3,000 rows load in a few milliseconds this way.
    rows: dict[tuple[str, str], Row] = {}
    for row in read("prices.csv", _COLUMNS):
        key = (row.text("sku"), row.text("region"))
        if key in rows:
            raise row.error(f"{key[0]} in {key[1]} stands twice")
        rows[key] = row
    return rows

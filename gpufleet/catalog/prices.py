"""Prices of VM sizes: USD an hour for one node, Linux; list prices, or what a company negotiated.

Regular and spot never stand in for one another, and a price that is missing is an `Unpriced` with its reason, never
zero. List prices come from the newest price list (`snapshots`), negotiated ones from `negotiated.yaml` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from gpufleet.catalog import snapshots
from gpufleet.catalog.table import Grouped, Row, read_grouped

COLUMNS = (
    *("sku", "region", "on_demand_usd_per_hour", "spot_usd_per_hour", "on_demand_as_of", "spot_as_of"),
    *("on_demand_source", "spot_source", "on_demand_confidence", "spot_confidence", "note"),
)
"""Columns of a price list, in the order in which a refresh writes them."""


class PriceKind(StrEnum):
    """Where a price comes from."""

    LIST = "list"
    NEGOTIATED = "negotiated"


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What one node costs an hour."""

    usd_per_hour: Decimal
    """Exact, in USD; always above 0."""
    as_of: str
    """When the list price was read: an ISO date, or words such as "2024 to 2025" where the source has none."""
    source: str
    """Keys of the table of sources in data/README.md, joined by `;`."""
    confidence: str
    """high, medium or low."""
    note: str = ""
    kind: PriceKind = PriceKind.LIST
    list_usd_per_hour: Decimal | None = None
    """Of a negotiated price: the list price that it replaces, None when there is none."""
    reason: str = ""
    """Of a negotiated price: what was agreed."""

    @property
    def read_on(self) -> date | None:
        """`as_of` as a day, None where it is none."""
        try:
            return date.fromisoformat(self.as_of)
        except ValueError:
            return None


@dataclass(frozen=True)
class Unpriced:
    """There is no price, and why: never to be read as zero."""

    reason: str


def price(size: str, region: str, *, spot: bool) -> Priced | Unpriced:
    """What one node of `size` costs in `region`.

    Args:
        size: ARM name, exact spelling.
        region: programmatic name. A region without a price has none: no other region's is taken.
        spot: the spot price rather than the pay-as-you-go price.

    Raises:
        CatalogError: the price list or `negotiated.yaml` is damaged or from the future.
    """
    listed = _listed(size, region, spot=spot)
    if not snapshots.negotiates():
        return listed
    from gpufleet.catalog import negotiated  # noqa: PLC0415 - pydantic and YAML are slow to load, most need neither

    return negotiated.apply(listed, size, region, spot=spot)


def regular(size: str, region: str) -> Priced | Unpriced:
    """The pay-as-you-go price of one node; see `price`."""
    return price(size, region, spot=False)


def spot(size: str, region: str) -> Priced | Unpriced:
    """The spot price of one node: a moving value, here as last seen, and unknown for most sizes; see `price`."""
    return price(size, region, spot=True)


def day() -> date:
    """The day of the price list in use, for reports; a price's own `as_of` may be older."""
    return snapshots.current().day


def regions(size: str) -> tuple[str, ...]:
    """The regions whose price list has `size`, the cheapest first."""
    known = ((regular(size, region), region) for region in _rows(size))
    found = [(cost.usd_per_hour, region) for cost, region in known if isinstance(cost, Priced)]
    return tuple(region for _, region in sorted(found))


def sizes() -> tuple[str, ...]:
    """Every size with a meter, in alphabetical order; some have no other facts (`sizes.without_facts`)."""
    return tuple(sorted(_table().lines))


def forget() -> None:
    """Read the price list and `negotiated.yaml` again: after a refresh, and in tests."""
    for cached in (snapshots.current, snapshots.negotiates, _listed, _table, _rows, _priced_regions):
        cached.cache_clear()
    from gpufleet.catalog import negotiated  # noqa: PLC0415 - see `price`

    negotiated.entries.cache_clear()


def rows() -> list[Row]:
    """Every line of the price list in use, each checked. Raises CatalogError for the first damaged one."""
    current = snapshots.current()
    return verify(current.path, current.day)


def verify(path: Path, day: date) -> list[Row]:
    """Every line of a price list of this day, each checked.

    Raises:
        CatalogError: a line is damaged or stands twice, or is younger than the list.
    """
    table = read_grouped(path, COLUMNS)
    found: list[Row] = []
    for size in table.lines:
        by_region = _by_region(table, size)
        found += by_region.values()
        for row in by_region.values():
            for kind in ("on_demand", "spot"):
                _price_in(row, kind, day)
    return found


@cache
def _listed(size: str, region: str, *, spot: bool) -> Priced | Unpriced:
    row = _rows(size).get(region)
    if row is None:
        if region not in _priced_regions():
            return Unpriced(f"the price list has no meters at all for {region}")
        return Unpriced(f"the price list has no meter for {size} in {region}")
    found = _price_in(row, "spot" if spot else "on_demand", snapshots.current().day)
    if found:
        return found
    if spot:
        return Unpriced(f"no source gives a spot price for {size} in {region}")
    return Unpriced(f"the price list has no pay-as-you-go value for {size} in {region}")


def _price_in(row: Row, kind: str, day: date) -> Priced | None:
    # A meter at 0 is a gap in the source (a preview, a retired size), never a gift.
    if not (usd := row.optional_usd(f"{kind}_usd_per_hour")):
        return None
    as_of = row.text(f"{kind}_as_of")
    if as_of[:10] > str(day):
        raise row.error(f"{kind}_as_of is {as_of}, after {day}, the day of the price list itself")
    return Priced(
        usd_per_hour=usd,
        as_of=as_of,
        source=row.text(f"{kind}_source"),
        confidence=row.choice(f"{kind}_confidence", "high", "medium", "low"),
        note=row.cells["note"],
    )


@cache
def _rows(size: str) -> dict[str, Row]:
    return _by_region(_table(), size)


def _by_region(table: Grouped, size: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in table.rows(size):
        if (region := row.text("region")) in rows:
            raise row.error(f"{size} in {region} stands twice")
        rows[region] = row
    return rows


@lru_cache(maxsize=1)
def _priced_regions() -> frozenset[str]:
    return frozenset(line.split(",", 2)[1] for lines in _table().lines.values() for _, line in lines)


@lru_cache(maxsize=1)
def _table() -> Grouped:
    return read_grouped(snapshots.current().path, COLUMNS)

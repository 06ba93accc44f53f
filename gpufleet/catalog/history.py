"""What regular prices were (data/price_history.csv): six dated price lists of 14 sizes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache, lru_cache

from gpufleet.catalog.table import CatalogError, Grouped, read_grouped


@cache
def of(size: str, region: str) -> tuple[tuple[date, Decimal | None], ...]:
    """Pay-as-you-go prices of a node in USD an hour by day, the oldest first; None where it had none that day.

    Empty for a size or region without a history. Raises CatalogError for a damaged table.
    """
    for row in _table().rows(size):
        if row.text("region") == region:
            return tuple((day, row.optional_usd(str(day))) for day in days())
    return ()


@lru_cache(maxsize=1)
def days() -> tuple[date, ...]:
    """The days of the lists, the oldest first."""
    table = _table()
    try:
        return tuple(date.fromisoformat(column) for column in table.header[2:])
    except ValueError as error:
        raise CatalogError(f"{table.file}:1: a column is not a day: {error}") from None


@lru_cache(maxsize=1)
def _table() -> Grouped:
    return read_grouped("price_history.csv", ("sku", "region"))

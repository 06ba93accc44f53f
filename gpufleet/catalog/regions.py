"""Azure regions: geography, zones, pair (data/regions.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog import prices
from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.table import Row, read
from gpufleet.errors import ConfigurationError

_COLUMNS = (
    "region",
    "display_name",
    "geography",
    "continent",
    "latitude",
    "longitude",
    "availability_zones",
    "paired_region",
    "region_access_restricted",
)
_CONTINENTS = ("north-america", "south-america", "europe", "asia-pacific", "middle-east-africa")


@dataclass(frozen=True, kw_only=True)
class Region:
    """One region. None is a value that no source gives."""

    name: str
    """Programmatic name, such as `eastus`."""
    display_name: str
    geography: str
    continent: str
    """north-america, south-america, europe, asia-pacific or middle-east-africa."""
    latitude: float | None
    longitude: float | None
    has_zones: bool | None
    """Whether it has availability zones; None when unknown."""
    pair: str | None
    """The paired region, None for a region without one."""
    restricted: bool
    """Open only to customers who asked for it (reliability-docs regions list)."""


class UnknownRegionError(ConfigurationError, LookupError):
    """No such region in the catalogue."""


def find(name: str) -> Region | None:
    """The region of this programmatic name, or None."""
    return _regions().get(name)


def get(name: str) -> Region:
    """The region of this programmatic name. Raises UnknownRegionError that names the nearest one."""
    region = find(name)
    if region is None:
        near = nearest(name)
        raise UnknownRegionError(
            f"no Azure region {name!r} in the catalogue" + (f"; the nearest is {near}" if near else "")
        )
    return region


def nearest(name: str) -> str | None:
    """The known name most like `name`, or None when nothing is alike."""
    return nearest_name(name, _regions())


def names() -> tuple[str, ...]:
    """All known regions, in alphabetical order."""
    return tuple(_regions())


def offers(size: str, region: str) -> bool:
    """Whether the price list has a meter for `size` in `region`.

    A listed price is not capacity, nor a promise that the size is open to this subscription: only the Resource SKUs API
    tells that.
    """
    return isinstance(prices.regular(size, region), prices.Priced)


@lru_cache(maxsize=1)
def _regions() -> dict[str, Region]:
    regions: dict[str, Region] = {}
    for row in read("regions.csv", _COLUMNS):
        region = _region(row)
        if region.name in regions:
            raise row.error(f"{region.name} stands twice")
        regions[region.name] = region
    return regions


def _region(row: Row) -> Region:
    pair = row.cells["paired_region"]
    return Region(
        name=row.text("region"),
        display_name=row.text("display_name"),
        geography=row.text("geography"),
        continent=row.choice("continent", *_CONTINENTS),
        latitude=_degrees(row, "latitude", 90),
        longitude=_degrees(row, "longitude", 180),
        has_zones={"yes": True, "no": False, "unknown": None}[row.choice("availability_zones", "yes", "no", "unknown")],
        pair=None if pair in ("", "none") else pair,
        restricted=row.choice("region_access_restricted", "yes", "no") == "yes",
    )


def _degrees(row: Row, column: str, bound: int) -> float | None:
    text = row.cells[column]
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise row.error(f"{column} is {text!r}, not a number") from None
    if not -bound <= value <= bound:
        raise row.error(f"{column} is {text}, not within ±{bound}")
    return value

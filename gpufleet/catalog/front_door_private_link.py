"""Where Front Door has private endpoints (data/front_door_private_link.csv)."""

from __future__ import annotations

from functools import lru_cache

from gpufleet.catalog import latency
from gpufleet.catalog.table import read

_COLUMNS = ("region", "as_of", "source", "confidence", "note")


def nearest(region: str) -> str:
    """Where Front Door's private endpoint for an origin in `region` is best: there, or else by the least round trip.

    The endpoint may be in another region than the origin (front-door private-link). By name where no round trip is
    known, so that the answer never changes by itself.

    Raises:
        CatalogError: the table is damaged.
    """
    regions = _regions()
    if region in regions:
        return region
    return min(regions, key=lambda other: (_milliseconds(region, other), other))


def _milliseconds(origin: str, destination: str) -> float:
    known = latency.between(origin, destination)
    return float("inf") if known is None else known.rtt_ms


@lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    return frozenset(row.text("region") for row in read("front_door_private_link.csv", _COLUMNS))

"""Round trips between regions (data/region_latency.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from gpufleet.catalog import limits
from gpufleet.catalog.table import Grouped, Row, read_grouped

_COLUMNS = ("region", "destination", "rtt_ms_p50", "rtt_ms_p95", "rtt_ms_cosmos")


class LatencyBasis(StrEnum):
    """Where a round trip comes from, the best first."""

    P50 = "p50"
    """Median of 30 days ending 2025-06-29 (Microsoft's network latency page): what is used wherever it exists."""
    P50_REVERSE = "p50-reverse"
    """That median, measured from the other end."""
    P95 = "p95"
    """95th percentile of 30 days ending 2026-07-30; the same page changed its statistic. 5 % above the median of 2025,
    by the median of 247 pairs."""
    ESTIMATE = "estimate"
    """The proximity table of the Cosmos DB SDK: within 20 % or 5 ms of the median for 83 % of pairs and far off for
    some (South Africa to UAE 260 against 102 ms). Only where nothing was measured."""
    WITHIN_REGION = "within-region"
    """Both ends in one region: Azure's bound between its zones (limit `azure.zone_round_trip_ms`)."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """One round trip."""

    rtt_ms: float
    basis: LatencyBasis
    as_of: str

    @property
    def measured(self) -> bool:
        """Whether somebody measured it between these two regions."""
        return self.basis in {LatencyBasis.P50, LatencyBasis.P50_REVERSE, LatencyBasis.P95}


@cache
def between(origin: str, destination: str) -> Latency | None:
    """Round trip between two regions in ms; None when the table doesn't know one of them.

    Raises:
        CatalogError: the table is damaged.
    """
    if origin == destination:
        bound = limits.get("azure.zone_round_trip_ms")
        return Latency(rtt_ms=bound.value, basis=LatencyBasis.WITHIN_REGION, as_of=bound.as_of)
    row, back = _from(origin).get(destination), _from(destination).get(origin)
    found = (
        (row, "rtt_ms_p50", LatencyBasis.P50, "2025-06-29"),
        (back, "rtt_ms_p50", LatencyBasis.P50_REVERSE, "2025-06-29"),
        (row, "rtt_ms_p95", LatencyBasis.P95, "2026-07-30"),
        (row, "rtt_ms_cosmos", LatencyBasis.ESTIMATE, "2026-06-16"),
    )
    for line, column, basis, as_of in found:
        if line and (milliseconds := line.optional_number(column)) is not None:
            return Latency(rtt_ms=milliseconds, basis=basis, as_of=as_of)
    return None


@cache
def _from(region: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in _table().rows(region):
        if (to := row.text("destination")) in rows:
            raise row.error(f"{region} to {to} stands twice")
        rows[to] = row
    return rows


@lru_cache(maxsize=1)
def _table() -> Grouped:
    return read_grouped("region_latency.csv", _COLUMNS)

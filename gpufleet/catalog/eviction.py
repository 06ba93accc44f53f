"""Bands in which Azure publishes how often spot nodes of a size are evicted (data/spot_eviction_bands.csv)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import read, row_of


@dataclass(frozen=True, kw_only=True)
class EvictionBand:
    """One band: the chance in percent that a node is evicted within the next hour.

    Which band a size is in is known to a subscription alone (Azure Resource Graph, SpotResources).
    """

    low_percent_per_hour: float
    high_percent_per_hour: float | None
    """None: published without an upper edge."""

    @property
    def label(self) -> str:
        """The band as Azure Resource Graph writes it (`SpotResources`, `evictionRate`): `0-5`, …, `20+`."""
        high = "+" if self.high_percent_per_hour is None else f"-{self.high_percent_per_hour:g}"
        return f"{self.low_percent_per_hour:g}{high}"

    @property
    def mean_hours_to_eviction(self) -> float:
        """Hours until one node is evicted, at the band's worst known edge: -1 / ln(1 - p).

        Evictions of one pool come together, so dividing it by the number of nodes gives a lower bound for a job.
        """
        percent = self.high_percent_per_hour or self.low_percent_per_hour
        return -1 / math.log(1 - percent / 100)


def band(label: str) -> EvictionBand:
    """The band of this label. Raises MissingRowError for another."""
    return row_of({one.label: one for one in bands()}, label, "gpufleet/catalog/data/spot_eviction_bands.csv")


def worst() -> EvictionBand:
    """The band to assume where nobody knows: the one with the most evictions, at its known edge."""
    return max(bands(), key=lambda one: one.low_percent_per_hour)


@lru_cache(maxsize=1)
def bands() -> tuple[EvictionBand, ...]:
    """All bands, the calmest first."""
    columns = ("low_percent_per_hour", "high_percent_per_hour")
    return tuple(
        EvictionBand(
            low_percent_per_hour=row.number(columns[0]),
            high_percent_per_hour=row.optional_number(columns[1]),
        )
        for row in read("spot_eviction_bands.csv", columns)
    )

"""What a placement is asked for, what limits it, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TOTAL = "total"
"""In `Problem.quotas`: all vCPUs of a region at regular priority, whatever their family."""
SPOT = "spot"
"""In `Problem.quotas`: all spot vCPUs of a region (Azure counts them apart, across families)."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Tokens a second of one model from one place."""

    origin: str
    model: str
    tokens_per_second: float
    hour: int = 0
    """Demands of one hour come together, those of different hours one after the other."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One way to serve a model: the smallest unit that can be added, a node, or the nodes of one replica."""

    region: str
    size: str
    model: str
    spot: bool
    nodes: int
    """Nodes of the unit."""
    usd_per_hour: float
    """Price of the unit; an offer without a known price is not an offer."""
    tokens_per_second: float
    """What the unit serves."""
    family: str
    """Quota family of the size."""
    vcpus: int
    """vCPUs of the unit."""
    replicas: int = 1
    """Servers that the unit holds."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """How many servers of a model one region has, whatever would be cheaper."""

    least: int = 0
    """On regular nodes."""
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is asked, and what limits it."""

    demand: Sequence[Demand]
    offers: Sequence[Offer]
    rtt_ms: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Round trip from origin to region; a pair that is missing is unknown and may not serve under a ceiling."""
    max_rtt_ms: Mapping[str, float] = field(default_factory=dict)
    """Ceiling by origin; none for an origin that is missing."""
    quotas: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """vCPUs by region and family, or by region and `TOTAL` or `SPOT`; no limit for one that is missing. Families are
    compared without case, for Azure's spellings differ."""
    spot_share: float = 0.0
    """The most of a model's capacity that may be spot, from 0 to 1."""
    survive_loss: bool = True
    """Whether the demand must be met with any one region lost, latency ceilings aside."""
    pins: Mapping[tuple[str, str], Pin] = field(default_factory=dict)
    """By model and region."""
    max_regions: int | None = None
    usd_per_region_hour: float = 0.0
    """What an opened region costs before its first GPU node."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Units of one offer."""

    offer: Offer
    units: int

    @property
    def nodes(self) -> int:
        """Nodes of all units."""
        return self.units * self.offer.nodes


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A solution."""

    placed: tuple[Placed, ...]
    usd_per_hour: float
    gap: float
    """Relative distance from the proven lower bound of the cost."""
    served: Mapping[tuple[str, str, str], float]
    """Tokens a second by origin, model and region, at the hour with most."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions that are used, in alphabetical order."""
        return tuple(sorted({one.offer.region for one in self.placed}))

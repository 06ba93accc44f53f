"""How a new release of the models reaches the regions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import RegionName, Spec


class Rollout(Spec):
    """What `gpufleet rollout` goes by."""

    order: Annotated[list[RegionName], Field(max_length=50)] = []
    """Regions to go to first, in this order; the others follow in the order of `regions`."""
    bake_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    """How long a region serves the new release, watched, before the next one gets it."""
    max_error_percent: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Share of failed requests (HTTP 5xx) in the region above which the roll-out stops and the region goes back."""
    max_latency_increase_percent: Annotated[float, Field(ge=0, le=1000)] = 50.0
    """How much longer the first token may take (95th percentile) than before the release; the same consequence."""

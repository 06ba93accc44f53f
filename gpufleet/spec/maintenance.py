"""When AKS may touch a cluster by itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Spec
from gpufleet.spec.schedule import Day


class Maintenance(Spec):
    """The weekly window of an AKS cluster: of its upgrades, and of its node images (AKS planned-maintenance)."""

    day: Annotated[Day | None, Field(strict=False)] = None
    """Day of the week; Sunday for training fabrics and one day after the other for inference regions unless given, so
    that regions are not drained together."""
    start: Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$")] = "02:00"
    """Time of day at which it opens, at the offset below."""
    duration_hours: Annotated[int, Field(ge=4, le=24)] = 4
    """How long it stays open; AKS starts nothing outside and takes 4 to 24 hours."""
    utc_offset: Annotated[str, Field(pattern=r"^[+-](?:0\d|1[0-4]):[0-5]\d$")] = "+00:00"
    """Offset of the times from UTC; it knows no daylight saving time."""

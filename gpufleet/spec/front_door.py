"""The global endpoint in front of the inference regions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Spec


class FrontDoorSku(StrEnum):
    """Azure Front Door tiers."""

    STANDARD = "Standard_AzureFrontDoor"
    PREMIUM = "Premium_AzureFrontDoor"


class HealthProbe(Spec):
    """Front Door health probe."""

    path: Annotated[str, Field(pattern=r"^/")] = "/health"
    """Path of the health check."""
    interval_seconds: Annotated[int, Field(ge=1, le=255)] = 30
    """Seconds between two probes from one edge location."""


class FrontDoor(Spec):
    """The global endpoint."""

    sku: Annotated[FrontDoorSku, Field(strict=False)] = FrontDoorSku.STANDARD
    """Premium adds Private Link origins and managed firewall rules."""
    origin_response_timeout_seconds: Annotated[int, Field(ge=16, le=240)] = 240
    """Front Door waits 16 to 240 s for an origin, so long answers must stream (Microsoft.Cdn 2024-02-01)."""
    health_probe: HealthProbe = HealthProbe()
    """How Front Door finds out that a region is down."""
    private_link: bool = False
    """Origins by Private Link; true is not supported: gateways have public addresses that only Front Door reaches."""

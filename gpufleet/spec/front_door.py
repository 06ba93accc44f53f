"""Azure Front Door in front of the inference regions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import HostName, Spec


class FrontDoorSku(StrEnum):
    """Azure Front Door tiers."""

    STANDARD = "Standard_AzureFrontDoor"
    PREMIUM = "Premium_AzureFrontDoor"


class HealthProbe(Spec):
    """Front Door health probe."""

    path: Annotated[str, Field(pattern=r"^/")] = "/health"
    """Path of the health check; a gateway hands `/health` to a model server, so that it tests the model."""
    interval_seconds: Annotated[int, Field(ge=1, le=255)] = 30
    """Seconds between two probes from one edge location."""


class WafMode(StrEnum):
    """What a web application firewall does with a request that a rule objects to."""

    PREVENTION = "Prevention"
    """Blocks it."""
    DETECTION = "Detection"
    """Logs it and lets it through."""


CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["US", "SE"])]
"""A country or region by its ISO 3166-1 alpha-2 code; ZZ is whoever Azure can't place."""


class WebApplicationFirewall(Spec):
    """The web application firewall of Front Door."""

    mode: Annotated[WafMode, Field(strict=False)] = WafMode.PREVENTION
    """Detection logs and blocks nothing: for the first days of a rule."""
    requests_per_minute: Annotated[int, Field(ge=10, le=1_000_000)]
    """Requests that one client address may send in a minute. A company behind one address is one client."""
    allowed_countries: Annotated[list[CountryCode] | None, Field(min_length=1)] = None
    """Where requests may come from; from everywhere unless given."""
    managed_rules: bool | None = None
    """Microsoft's default rule set and bot protection; on with the Premium tier, the only one that has them."""


class FrontDoor(Spec):
    """Azure Front Door: one endpoint, one route, one origin group with every region."""

    sku: Annotated[FrontDoorSku, Field(strict=False)] = FrontDoorSku.STANDARD
    """Premium adds Private Link origins and managed firewall rules."""
    origin_response_timeout_seconds: Annotated[int, Field(ge=16, le=240)] = 240
    """Front Door waits 16 to 240 s for an origin, so long answers must stream (Microsoft.Cdn 2024-02-01)."""
    health_probe: HealthProbe = HealthProbe()
    """How Front Door finds out that a region is down."""
    additional_latency_milliseconds: Annotated[int, Field(ge=0, le=1000)] = 50
    """Of equal priority, regions that answer this much slower than the fastest share the load by weight; 0 sends all to
    the fastest one."""
    domains: list[HostName] = []
    """Host names of your own, with certificates that Azure manages; the generated one keeps working."""
    waf: WebApplicationFirewall | None = None
    """The web application firewall; none unless given."""
    private_link: bool = False
    """Origins by Private Link (Premium): gateways have no public address, and each connection waits for approval."""
    origin_domain: HostName | None = None
    """Only with Private Link: gateways are `<region>.<this domain>` in their certificates. No DNS record is needed."""

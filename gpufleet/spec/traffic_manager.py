"""Azure Traffic Manager in front of the inference regions: the alternative to Front Door."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gpufleet.spec.base import HostName, Spec


class EndpointMonitor(Spec):
    """How Traffic Manager finds out that a region is down."""

    path: Annotated[str, Field(pattern=r"^/", max_length=255)] = "/health"
    """Path of the health check; a gateway hands `/health` to a model server, so that it tests the model."""
    interval_seconds: Literal[10, 30] = 10
    """Seconds between two checks; Traffic Manager knows 30 and, charged as fast probing, 10."""
    timeout_seconds: Annotated[int, Field(ge=5, le=10)] = 5
    """Seconds that a check waits: 5 to 10, or to 9 with an interval of 10."""
    tolerated_failures: Annotated[int, Field(ge=0, le=9)] = 3
    """Failed checks in a row that leave an endpoint in."""


class TrafficManager(Spec):
    """Azure Traffic Manager: DNS answers with the region of least latency, and clients connect to its gateway."""

    domain: HostName
    """Name that clients use, a CNAME of yours to the profile's name. Every gateway's certificate must have it, for
    Traffic Manager ends no TLS."""
    ttl_seconds: Annotated[int, Field(ge=0, le=2_147_483_647)] = 30
    """How long a resolver may keep an answer, and so how long clients stay with a region that is down."""
    monitor: EndpointMonitor = EndpointMonitor()
    """How Traffic Manager finds out that a region is down."""

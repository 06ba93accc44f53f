"""One region as the global endpoint sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from gpufleet.spec.inference import InferenceRegion


@dataclass(frozen=True, kw_only=True)
class PrivateOrigin:
    """A gateway that is reached by Private Link alone."""

    service_id: pulumi.Input[str]
    """ARM id of the gateway's Private Link service."""
    location: str
    """Region in which Front Door has the private endpoint."""


@dataclass(frozen=True, kw_only=True)
class RegionOrigin:
    """A region's gateway, for a global endpoint to send requests to."""

    spec: InferenceRegion
    host_name: pulumi.Input[str]
    """DNS name of the gateway, which is in its certificate."""
    address_id: pulumi.Input[str] | None
    """ARM id of the gateway's public address; None where it is private."""
    private: PrivateOrigin | None
    """How to reach it by Private Link; None where it is public."""
    serving: Sequence[pulumi.Resource]
    """What answers requests: the origin comes after it, and goes before it."""

    @property
    def depends_on(self) -> Sequence[pulumi.Resource]:
        """What must be there before requests come.

        Nothing where the region is drained: that must work while nobody reaches the region's API server.
        """
        return () if self.spec.drain else self.serving

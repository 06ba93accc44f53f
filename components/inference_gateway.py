"""The gateway of one region: what Front Door's requests come to, and how they find a server of their model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.region_serving import RegionServing


@dataclass(frozen=True, kw_only=True)
class InferenceGatewayArgs:
    """Arguments of InferenceGateway."""

    serving: RegionServing
    servers: Sequence[pulumi.Resource]
    """What the servers' namespace and their Services are made by; routes come after them."""


class InferenceGateway(pulumi.ComponentResource):
    """A Gateway with a route and an inference pool for every model."""

    ready: Sequence[pulumi.Resource]
    """What must be there before requests come."""

    def __init__(self, name: str, args: InferenceGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:InferenceGateway", name, {}, opts)
        self.ready = []
        self.register_outputs({})

"""One region as the parts that serve its models see it (serving_parts.py adds them)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.context import ScopeContext
from components.gpu_cluster import GpuCluster
from components.in_cluster import ClusterAccess
from components.region_network import RegionNetwork
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.inference import Inference, InferenceRegion


@dataclass(frozen=True, kw_only=True)
class GatewayCaller:
    """The one managed identity that may send requests to gateways."""

    principal_id: pulumi.Input[str]
    tenant_id: pulumi.Input[str]
    header: str
    """Header of its requests that has its token, after `Bearer `."""
    audience: str
    """What the token is for."""


@dataclass(frozen=True, kw_only=True)
class RegionServing:
    """What the parts of serving in one region are made from."""

    parent: pulumi.Resource
    scope: ScopeContext
    inference: Inference
    region: InferenceRegion
    plans: Sequence[ServerPlan]
    """Servers of this region whose form has weights."""
    cluster: GpuCluster
    access: ClusterAccess
    network: RegionNetwork
    pools: Mapping[str, pulumi.Resource]
    """The region's pools by the specification's names: servers come after theirs, and go before them."""
    registry_id: pulumi.Input[str]
    """The registry that weights are pulled from."""
    registry_login_server: pulumi.Input[str]
    gateway_address_name: pulumi.Input[str] | None
    """Name of the region's static public address, in its resource group; None where the gateway is private."""
    private_link_service_name: str | None
    """Name that the Private Link service of a private gateway gets, in the region's resource group; None where the
    gateway has a public address."""
    gateway_host_name: pulumi.Input[str]
    """DNS name that the gateway's certificate must have; Front Door, or a client by Traffic Manager, asks for it."""
    front_door_id: pulumi.Input[str] | None
    """What Front Door sends as `X-Azure-FDID`, for a gateway to refuse who has another or none; None without Front
    Door."""
    caller: GatewayCaller | None = None
    """Whose requests the gateway answers, behind API Management; None leaves it to the rest."""

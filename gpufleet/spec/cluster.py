"""The AKS cluster and the network it stands in."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Cidr, SizeName, Spec


class Tier(StrEnum):
    """AKS pricing tier of the control plane."""

    FREE = "Free"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class ApiServer(Spec):
    """How the Kubernetes API server is reached."""

    private: bool = False
    authorized_ip_ranges: list[Cidr] = []
    """Ranges that may reach a public API server; empty means any."""


class SystemPool(Spec):
    """The small inline system pool.

    Frozen after creation: changing an inline profile touches every pool of the cluster (pulumi-azure-native#4264).
    """

    sku: SizeName = "Standard_D4ds_v5"
    nodes: Annotated[int, Field(ge=1, le=100)] = 3


class Cluster(Spec):
    """Settings of one AKS cluster."""

    kubernetes_version: Annotated[str, Field(pattern=r"^1\.\d{2}$")] = "1.34"
    """Minor version; AKS picks the patch."""
    tier: Annotated[Tier, Field(strict=False)] = Tier.STANDARD
    pod_cidr: Cidr = "10.128.0.0/11"
    """Azure CNI Overlay takes a fixed /24 a node out of it; /11 holds 8,192 nodes, more than AKS's 5,000 a cluster, and
    it can't be changed later."""
    service_cidr: Cidr = "172.20.0.0/16"
    api_server: ApiServer = ApiServer()
    admin_group_object_ids: list[
        Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    ] = []
    """Entra groups whose members administer the cluster; local accounts are off."""
    system_pool: SystemPool = SystemPool()


class Subnets(Spec):
    """Sub-ranges of the virtual network; derived from `vnetCidr` unless given."""

    system: Cidr
    gpu: Cidr
    lustre: Cidr
    private_endpoints: Cidr


class Network(Spec):
    """The virtual network of one region."""

    vnet_cidr: Cidr | None = None
    """Derived from the scope's place in the file unless given: 10.0.0.0/16, 10.1.0.0/16, …; pin it before you reorder
    scopes."""
    subnets: Subnets | None = None
    nat_public_ips: Annotated[int, Field(ge=1, le=16)] = 2
    """AKS asks for at least two outbound addresses in large clusters (best-practices-performance-scale-large); a NAT
    gateway takes at most 16."""

"""The AKS cluster and the network it stands in."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.catalog.gpu_stack import GpuStack, RdmaDevices
from gpufleet.spec.autoscaler import Autoscaler
from gpufleet.spec.base import Cidr, SizeName, Spec, Zone
from gpufleet.spec.maintenance import Maintenance


class Tier(StrEnum):
    """AKS pricing tier of the control plane."""

    FREE = "Free"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class NetworkPolicy(StrEnum):
    """Engine that enforces Kubernetes' network policies; without one they do nothing."""

    NONE = "none"
    CILIUM = "cilium"
    """Azure CNI powered by Cilium: what AKS recommends, as its own engine ends (AKS use-network-policies)."""


class ApiServer(Spec):
    """How the Kubernetes API server is reached."""

    private: bool = False
    """Give the API server a private address only."""
    authorized_ip_ranges: list[Cidr] = []
    """Ranges that may reach a public API server; empty means any."""


class SystemPool(Spec):
    """The small inline system pool.

    Frozen after creation: changing an inline profile touches every pool of the cluster (pulumi-azure-native#4264).
    """

    sku: SizeName = "Standard_D4ds_v5"
    """VM size; AKS wants 2 vCPUs and 4 GiB at least, and no B series."""
    nodes: Annotated[int, Field(ge=1, le=100)] = 3
    """Number of nodes; three survive the loss of one."""


class Cluster(Spec):
    """Settings of one AKS cluster."""

    kubernetes_version: Annotated[str, Field(pattern=r"^1\.\d{2}$")] = "1.34"
    """Minor version; AKS picks the patch."""
    tier: Annotated[Tier, Field(strict=False)] = Tier.STANDARD
    """Free has no SLA and is for up to ten nodes; production needs Standard or Premium."""
    pod_cidr: Cidr = "10.128.0.0/11"
    """Azure CNI Overlay takes a fixed /24 a node out of it; /11 holds 8,192 nodes, more than AKS's 5,000 a cluster, and
    it can't be changed later."""
    service_cidr: Cidr = "172.20.0.0/16"
    """Addresses of Kubernetes services; inside the cluster alone, so every cluster may have the same."""
    network_policy: Annotated[NetworkPolicy, Field(strict=False)] = NetworkPolicy.NONE
    """Engine of network policies; chosen with the cluster, for another one would replace it (pulumi-azure-native#4756).
    A cluster that has one of another way keeps it: `az aks update`, then `gpufleet refresh`, then state it here."""
    api_server: ApiServer = ApiServer()
    """Who reaches the API server."""
    admin_group_object_ids: list[
        Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    ] = []
    """Entra groups whose members administer the cluster; local accounts are off."""
    system_pool: SystemPool = SystemPool()
    """The pool that Kubernetes' own pods run on."""
    gpu_stack: Annotated[GpuStack, Field(strict=False)] = GpuStack.OPERATOR
    """Who brings the GPU driver: managed is AKS, operator is the GPU Operator, operator-dra the same with Dynamic
    Resource Allocation in place of the device plugin, which GB200 and GB300 need."""
    operator_set: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = None
    """The pinned set of operators by its name, such as 2026-07; the newest unless given. Another set is an upgrade:
    `gpufleet preview` says which nodes it touches."""
    rdma_devices: Annotated[RdmaDevices, Field(strict=False)] = RdmaDevices.SRIOV
    """How pods get InfiniBand devices: sriov gives each pod its own (`rdma/ib`), shared gives all to every pod that
    asks (`rdma/shared_ib`)."""
    maintenance: Maintenance = Maintenance()
    """The weekly window in which AKS may upgrade it and its node images; clusters of training fabrics upgrade only when
    asked."""
    autoscaler: Autoscaler = Autoscaler()
    """The cluster autoscaler, for all pools whose `nodes` is a range."""
    logs_daily_cap_gb: Annotated[float | None, Field(gt=0, le=1e6)] = None
    """GB of logs that its workspace takes a day; what comes after is dropped until the next day. None takes all: leave
    it out where the audit log counts (Azure Monitor daily-cap)."""


class Subnets(Spec):
    """Sub-ranges of the virtual network; derived from `vnetCidr` unless given."""

    system: Cidr
    """Nodes of the system pool and of CPU pools."""
    gpu: Cidr
    """Nodes of GPU pools."""
    lustre: Cidr
    """Managed Lustre alone."""
    private_endpoints: Cidr
    """Private endpoints of the storage account."""


class Network(Spec):
    """The virtual network of one region."""

    vnet_cidr: Cidr | None = None
    """Derived from the scope's place in the file unless given: 10.0.0.0/16, 10.1.0.0/16, …; pin it before you reorder
    scopes."""
    subnets: Subnets | None = None
    """All four subnets, or none: they are then derived from the virtual network in fixed shares."""
    nat_public_ips: Annotated[int, Field(ge=1, le=16)] = 2
    """AKS asks for at least two outbound addresses in large clusters (best-practices-performance-scale-large); a NAT
    gateway takes at most 16."""
    nat_zone: Zone | None = None
    """Availability zone of the NAT gateway and its addresses, which Azure never changes. Unless given the gateway has
    none and Azure places it: it is not derived from the pools, so that these may move."""

"""Node pools: GPU and CPU, regular and spot."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag

from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.catalog.node_settings import Section
from gpufleet.spec.base import PoolName, Priority, SizeName, Spec, Zone, number_as_text
from gpufleet.spec.node_settings import SettingsSchema
from gpufleet.spec.usage import PoolUsage

# AKS: 1,000 nodes a pool (container-service-limits).
_NodeCount = Annotated[int, Field(ge=0, le=1000)]


_Surge = Annotated[
    str, BeforeValidator(number_as_text, json_schema_input_type=str | int), Field(pattern=r"^(\d{1,3}%|\d{1,3})$")
]


def _nodes_kind(value: object) -> str:
    return "range" if isinstance(value, dict | NodeRange) else "number"


class NodeRange(Spec):
    """Bounds of an autoscaled pool."""

    min: _NodeCount
    """The fewest nodes; 0 lets the pool go away when idle."""
    max: Annotated[int, Field(ge=1, le=1000)]
    """The most nodes: what the ceiling cost counts."""


class UndrainableNode(StrEnum):
    """AKS `undrainableNodeBehavior`: what becomes of a node that an upgrade can't empty."""

    CORDON = "Cordon"
    """It stays cordoned and a surge node takes its place, so it needs a surge."""
    SCHEDULE = "Schedule"
    """It takes pods again, and the upgrade fails."""


class Upgrade(Spec):
    """AKS `upgradeSettings` of a pool. Not on spot pools: they cannot surge (AKS spot-node-pool)."""

    max_surge: _Surge | None = None
    """Nodes, or percent of the pool, added while upgrading. GPU sizes default to 0: spare GPU nodes rarely exist (AKS
    upgrade-aks-node-pools-rolling)."""
    max_unavailable: _Surge | None = None
    """Nodes, or percent of the pool, that an upgrade may take away at once. GPU sizes default to 1, others to AKS's
    own 0."""
    drain_timeout_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """How long an upgrade waits for pods to leave a node."""
    node_soak_minutes: Annotated[int, Field(ge=0, le=30)] = 0
    """How long an upgrade waits after each node before it takes the next."""
    undrainable_node: Annotated[UndrainableNode | None, Field(strict=False)] = None
    """What becomes of a node whose pods don't leave in time. GPU sizes default to Schedule: Cordon keeps a paid node
    out of use until somebody looks; others have AKS's own."""


class InfiniBandDomain(Spec):
    """A raised size of the InfiniBand domain, agreed with Azure support."""

    max_nodes: Annotated[int, Field(ge=1, le=300)]
    """100 by default, up to 300 after a support request (azure-compute-docs, placement groups)."""
    support_request: Annotated[str, Field(min_length=1)]
    """Number of the support request that raised it."""


class PoolRole(StrEnum):
    """What a pool is for, where its size does not tell."""

    GENERAL = "general"
    DATA_PREPARATION = "data-preparation"
    """Work in front of training that can be done again: from no nodes at all, spot by default."""


class Scratch(StrEnum):
    """What becomes of a node's local NVMe disks, which AKS leaves raw (AKS best-practices-storage-nvme)."""

    RAID0 = "raid0"
    """One file system across all of them, for caches and scratch; gone with the node."""
    NONE = "none"


def _usual_priority(given: dict[str, object]) -> Priority:
    return Priority.SPOT if given.get("role") is PoolRole.DATA_PREPARATION else Priority.REGULAR


class Pool(Spec):
    """One AKS agent pool; for an RDMA size also one InfiniBand domain."""

    name: PoolName
    """Name of the pool, from which the AKS names are made."""
    sku: SizeName
    """VM size by its ARM name."""
    role: Annotated[PoolRole, Field(strict=False)] = PoolRole.GENERAL
    """general, or data-preparation: CPU nodes that come and go with their work."""
    priority: Annotated[Priority, Field(strict=False)] = Field(default_factory=_usual_priority)
    """spot is cheaper, and Azure may take it back with 30 seconds' notice. Unless given, spot for data preparation and
    regular for everything else."""
    nodes: Annotated[
        Annotated[NodeRange, Tag("range")] | Annotated[int, Field(ge=1, le=5000), Tag("number")],
        Discriminator(_nodes_kind),
    ]
    """A range is autoscaled. A plain number is a fixed size; on an RDMA size more than one domain's worth becomes
    several pools of one domain each."""
    zones: list[Zone] = []
    """Availability zones; none leaves the choice to Azure. A pool of an RDMA size has one at most."""
    os_disk_gib: Annotated[int, Field(ge=30, le=2048, alias="osDiskGiB")] = 256
    """Stated always: without it AKS takes the whole temporary disk for an ephemeral OS disk (AKS concepts-storage)."""
    scratch: Annotated[Scratch | None, Field(strict=False)] = None
    """raid0 or none; unless given, raid0 on the training fabrics' sizes with local NVMe."""
    max_pods: Annotated[int, Field(ge=10, le=250)] = 110
    """Pods a node may run; fixed once the pool exists."""
    labels: dict[str, str] = {}
    """Further Kubernetes labels of the nodes."""
    taints: list[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$")]
    ] = []
    """Further Kubernetes taints of the nodes, key=value:effect; GPU and spot taints come by themselves."""
    spot_max_price: float | None = None
    """USD an hour, at most five decimals, or -1 for up to the regular price. Only on spot pools."""
    upgrade: Upgrade | None = None
    """How upgrades go through the pool; not on spot."""
    infiniband: InfiniBandDomain | None = None
    """Only where Azure support raised the size of the InfiniBand domain."""
    capacity_reservation_group_id: str | None = None
    """ARM id of a capacity reservation group; not for ND sizes, NCads H100 v5 or spot."""
    autoscaler_priority: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """Number in the autoscaler's priority expander; the highest wins. Unless given, 20 for spot and 10 for regular
    pools where both stand side by side. Only where `nodes` is a range."""
    kubelet: Annotated[dict[str, object], SettingsSchema(Section.KUBELET)] = {}
    """AKS `kubeletConfig` by its own names, such as topologyManagerPolicy, over the defaults of the size. Fixed once
    the pool exists, so a change adds a new pool and removes the old one."""
    sysctls: Annotated[dict[str, object], SettingsSchema(Section.SYSCTLS)] = {}
    """AKS `linuxOSConfig.sysctls` by its own names, such as vmMaxMapCount for vm.max_map_count; fixed as `kubelet`."""
    linux_os: Annotated[dict[str, object], SettingsSchema(Section.LINUX_OS)] = {}
    """AKS `linuxOSConfig` apart from sysctls: transparentHugePageEnabled and transparentHugePageDefrag; fixed as
    `kubelet`."""
    serves: Annotated[list[str], Field(max_length=100)] = []
    """Models, by name, whose servers run on it and nowhere else in the region, and nobody else's; unless given, every
    model that fits and that no other pool names. Only where models are served."""
    usage: PoolUsage | None = None
    """How much of it is used on average; without it the expected cost has the pool at its maximum."""
    _gpu_stack: GpuStack = PrivateAttr(default=GpuStack.OPERATOR)

    @property
    def gpu_stack(self) -> GpuStack:
        """Who brings the GPU driver: the choice of the cluster that the pool belongs to."""
        return self._gpu_stack


def of_cluster(pools: list[Pool], gpu_stack: GpuStack) -> None:
    """Tell pools the choice of their cluster: AKS fixes the driver with the pool, so its name depends on it."""
    for pool in pools:
        pool._gpu_stack = gpu_stack  # noqa: SLF001 - a value of the file that stands elsewhere, not the pool's own

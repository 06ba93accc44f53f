"""Node pools: GPU and CPU, regular and spot."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag

from gpufleet.spec.base import PoolName, Priority, SizeName, Spec, Zone, number_as_text

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
    max: Annotated[int, Field(ge=1, le=1000)]


class Upgrade(Spec):
    """AKS `upgradeSettings` of a pool. Not on spot pools: they cannot surge (AKS spot-node-pool)."""

    max_surge: _Surge | None = None
    """Nodes, or percent of the pool, added while upgrading. ND sizes default to 0: spare 8-GPU nodes rarely exist (AKS
    upgrade-aks-node-pools-rolling)."""
    max_unavailable: _Surge | None = None
    """Nodes, or percent of the pool, that an upgrade may take away at once. ND sizes default to 1, others to AKS's own
    0."""
    drain_timeout_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    node_soak_minutes: Annotated[int, Field(ge=0, le=30)] = 0


class InfiniBandDomain(Spec):
    """A raised size of the InfiniBand domain, agreed with Azure support."""

    max_nodes: Annotated[int, Field(ge=1, le=300)]
    """100 by default, up to 300 after a support request (azure-compute-docs, placement groups)."""
    support_request: Annotated[str, Field(min_length=1)]
    """Number of the support request that raised it."""


class Pool(Spec):
    """One AKS agent pool; for an RDMA size also one InfiniBand domain."""

    name: PoolName
    sku: SizeName
    priority: Annotated[Priority, Field(strict=False)] = Priority.REGULAR
    nodes: Annotated[
        Annotated[NodeRange, Tag("range")] | Annotated[int, Field(ge=1, le=5000), Tag("number")],
        Discriminator(_nodes_kind),
    ]
    """A range is autoscaled. A plain number is a fixed size; on an RDMA size more than one domain's worth becomes
    several pools of one domain each."""
    zones: list[Zone] = []
    os_disk_gib: Annotated[int, Field(ge=30, le=2048, alias="osDiskGiB")] = 256
    """Stated always: without it AKS takes the whole temporary disk for an ephemeral OS disk (AKS concepts-storage)."""
    max_pods: Annotated[int, Field(ge=10, le=250)] = 110
    labels: dict[str, str] = {}
    taints: list[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$")]
    ] = []
    spot_max_price: float | None = None
    """USD an hour, at most five decimals, or -1 for up to the regular price. Only on spot pools."""
    upgrade: Upgrade | None = None
    infiniband: InfiniBandDomain | None = None
    capacity_reservation_group_id: str | None = None

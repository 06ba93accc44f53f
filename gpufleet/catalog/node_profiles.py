"""What Kubernetes sees of a GPU node with InfiniBand: resources, driver model, rack (data/node_profiles.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gpufleet.catalog import sizes
from gpufleet.catalog.table import read, row_of

_FILE = "node_profiles.csv"
_COLUMNS = (
    "series",
    "gpu_resource",
    "rdma_devices",
    "cpu_architecture",
    "os_sku",
    "dra",
    "nvlink_rack_nodes",
    "nccl_topology",
    "allocatable_cpus",
    "allocatable_memory_gib",
    "as_of",
    "confidence",
    "source",
)


class DynamicResourceAllocation(StrEnum):
    """Whether a node's GPUs are given out by Dynamic Resource Allocation (DRA) and not by a device plugin."""

    REQUIRED = "required"
    """GB200 and GB300: the rack's NVLink domain is a DRA resource."""
    OPTIONAL = "optional"
    NO = "no"
    """The vendor has no DRA driver that was tried on AKS."""


@dataclass(frozen=True, kw_only=True)
class NodeProfile:
    """One series of GPU sizes with InfiniBand. None is a value that no source gives."""

    series: str
    gpu_resource: str
    """Extended resource of its device plugin: `nvidia.com/gpu` or `amd.com/gpu`."""
    rdma_devices: int
    """InfiniBand virtual functions of a node, each one `rdma/ib`."""
    cpu_architecture: str
    """`amd64` or `arm64`, as in `kubernetes.io/arch`: what images must be built for."""
    os_sku: str
    """AKS `osSKU`."""
    dra: DynamicResourceAllocation
    nvlink_rack_nodes: int | None
    """Nodes of one NVLink domain that spans nodes; None where NVLink ends at the node."""
    nccl_topology: str | None
    """Name of NCCL's topology file for the size, as Azure's HPC images have it; None without one."""
    allocatable_cpus: int
    """vCPUs that are left for a job that takes the whole node."""
    allocatable_memory_gib: float
    """GiB that are left for a job that takes the whole node."""


def find(size: sizes.Size) -> NodeProfile | None:
    """The profile of a GPU size with InfiniBand; None for any other.

    Raises:
        MissingRowError: it has both and no row.
    """
    if not (size.rdma and size.is_gpu):
        return None
    return row_of(_profiles(), size.series, f"gpufleet/catalog/data/{_FILE}")


@lru_cache(maxsize=1)
def _profiles() -> dict[str, NodeProfile]:
    return {
        row.text("series"): NodeProfile(
            series=row.text("series"),
            gpu_resource=row.text("gpu_resource"),
            rdma_devices=row.integer("rdma_devices"),
            cpu_architecture=row.text("cpu_architecture"),
            os_sku=row.text("os_sku"),
            dra=DynamicResourceAllocation(row.choice("dra", *DynamicResourceAllocation)),
            nvlink_rack_nodes=row.optional_integer("nvlink_rack_nodes"),
            nccl_topology=row.optional_text("nccl_topology"),
            allocatable_cpus=row.integer("allocatable_cpus"),
            allocatable_memory_gib=row.number("allocatable_memory_gib"),
        )
        for row in read(_FILE, _COLUMNS)
    }

"""What a GPU node gives a job that takes the whole node: the unit in which queues count and jobs ask."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gpufleet.catalog import node_profiles, sizes

_REFERENCE = "Standard_ND96isr_H100_v5"
"""The one size whose share for pods is published (Azure/ai-infrastructure-on-azure scheduling/aks/kueue)."""
_GPU_RESOURCES = {"NVIDIA": "nvidia.com/gpu", "AMD": "amd.com/gpu"}


@dataclass(frozen=True, kw_only=True)
class NodeCapacity:
    """One node of a GPU size."""

    cpus: int
    """vCPUs that are left for pods."""
    memory_gib: int
    """GiB that are left for pods."""
    gpu_resource: str
    """Extended resource of its device plugin."""
    gpus: int
    rdma_devices: int
    """InfiniBand devices; 0 without."""


def of(size: sizes.Size) -> NodeCapacity:
    """The capacity of a GPU size's node.

    A size without InfiniBand has no profile of its own; of its vCPUs and memory the same share is taken as pods get on
    ND H100 v5, rounded down.

    Raises:
        MissingRowError: a size with InfiniBand has no profile.
        ValueError: the size has no GPU.
    """
    if size.gpu_vendor is None:
        raise ValueError(f"{size.name} has no GPU")
    profile = node_profiles.find(size)
    if profile is not None:
        cpus, memory = profile.allocatable_cpus, math.floor(profile.allocatable_memory_gib)
        return NodeCapacity(
            cpus=cpus,
            memory_gib=memory,
            gpu_resource=profile.gpu_resource,
            gpus=size.gpus,
            rdma_devices=profile.rdma_devices,
        )
    reference = sizes.get(_REFERENCE)
    known = node_profiles.find(reference)
    assert known is not None, f"{_REFERENCE} has InfiniBand"
    return NodeCapacity(
        cpus=math.floor(size.vcpus * known.allocatable_cpus / reference.vcpus),
        memory_gib=math.floor(size.memory_gib * known.allocatable_memory_gib / reference.memory_gib),
        gpu_resource=_GPU_RESOURCES[size.gpu_vendor],
        gpus=size.gpus,
        rdma_devices=0,
    )

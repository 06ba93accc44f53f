"""What a cluster's pools ask of its GPU stack, and the operator set that follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gpufleet.catalog import node_profiles, operator_sets, sizes
from gpufleet.catalog.operator_sets import OperatorSet
from gpufleet.spec.cluster import Cluster
from gpufleet.spec.pool import Pool


@dataclass(frozen=True, kw_only=True)
class GpuNeeds:
    """What the GPU pools of one cluster need, all together."""

    nvidia: bool
    amd: bool
    rdma: bool
    """Whether a pool has InfiniBand."""
    racks: bool
    """Whether a pool's NVLink spans nodes, so that its jobs need a ComputeDomain."""
    architectures: frozenset[str]
    """`kubernetes.io/arch` of the pools with InfiniBand: an OFED driver is built for them."""

    @property
    def any(self) -> bool:
        """Whether the cluster has GPUs at all."""
        return self.nvidia or self.amd


def gpu_needs(pools: Iterable[Pool]) -> GpuNeeds:
    """What the GPU pools of a cluster need; a size that the catalogue doesn't know needs nothing."""
    gpus = [size for pool in pools if (size := sizes.find(pool.sku)) is not None and size.is_gpu]
    profiles = [profile for size in gpus if (profile := node_profiles.find(size)) is not None]
    return GpuNeeds(
        nvidia=any(size.gpu_vendor == "NVIDIA" for size in gpus),
        amd=any(size.gpu_vendor == "AMD" for size in gpus),
        rdma=bool(profiles),
        racks=any(profile.nvlink_rack_nodes for profile in profiles),
        architectures=frozenset(profile.cpu_architecture for profile in profiles),
    )


def operator_set(cluster: Cluster, pools: Iterable[Pool]) -> OperatorSet | None:
    """The set that `cluster.operatorSet` names, else the newest that has what stack and pools need; None without."""
    if cluster.operator_set is not None:
        return operator_sets.find(cluster.operator_set)
    needs = gpu_needs(pools)
    return operator_sets.newest(cluster.gpu_stack, amd=needs.amd, architectures=needs.architectures)

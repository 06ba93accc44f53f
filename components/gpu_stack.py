"""The GPU stack of one cluster: which components its `gpuStack` and its pools come to, and in what order."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.amd_gpu import AmdGpu
from components.gpu_operator import GpuOperator, GpuOperatorArgs
from components.gpu_software import GpuSoftwareArgs
from components.in_cluster import ClusterAccess
from components.managed_gpu import ManagedGpu
from components.rdma_stack import RdmaStack, RdmaStackArgs
from gpufleet.catalog import sizes
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.errors import ConfigurationError
from gpufleet.spec.cluster import Cluster
from gpufleet.spec.gpu_stack import gpu_needs, operator_set
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools


def add_gpu_stack(
    parent: pulumi.Resource, name: str, *, access: ClusterAccess, spec: Cluster, pools: Sequence[Pool]
) -> None:
    """Add what the GPU pools of a cluster need; nothing to a cluster without GPUs.

    InfiniBand first, then each maker's software; the first of them that brings node feature discovery is its one owner.
    """
    needs = gpu_needs(pools)
    if not needs.any:
        return
    operators = operator_set(spec, pools)
    if operators is None:
        raise ConfigurationError(
            f"{name}: no operator set has what gpuStack {spec.gpu_stack} and the pools need",
            hint="`gpufleet check` names the pool and the sets there are.",
        )
    opts = pulumi.ResourceOptions(parent=parent)
    gpu_pools = [pool for pool in pools if sizes.get(pool.sku).is_gpu]
    may_be_empty = all(plan.min_nodes == 0 for pool in gpu_pools for plan in agent_pools(pool))
    after: list[pulumi.Resource] = []
    if needs.rdma:
        rdma = RdmaStack(
            f"{name}-rdma",
            RdmaStackArgs(access=access, operators=operators, devices=spec.rdma_devices, may_be_empty=may_be_empty),
            opts=opts,
        )
        after = [rdma.ready]
    managed = spec.gpu_stack is GpuStack.MANAGED
    for_nvidia = GpuSoftwareArgs(
        access=access,
        operators=operators,
        rdma=needs.rdma,
        owns_discovery=not needs.rdma,
        racks=needs.racks,
        may_be_empty=may_be_empty,
        after=after,
    )
    if needs.nvidia and managed:
        ManagedGpu(f"{name}-managed-gpu", for_nvidia, opts=opts)
    elif needs.nvidia:
        dra = spec.gpu_stack is GpuStack.OPERATOR_DRA
        GpuOperator(f"{name}-gpu-operator", GpuOperatorArgs(**vars(for_nvidia), dra=dra), opts=opts)
    if needs.amd:
        for_amd = GpuSoftwareArgs(**{**vars(for_nvidia), "owns_discovery": not needs.rdma and not needs.nvidia})
        AmdGpu(f"{name}-amd-gpu", for_amd, opts=opts)

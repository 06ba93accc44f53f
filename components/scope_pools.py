"""The pools of one scope, and what the cluster must know of them all."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.agent_pool import PoolArgs
from components.context import ScopeContext
from components.cpu_pool import CpuPool
from components.gpu_cluster import GpuCluster
from components.gpu_operator import GpuOperator, GpuOperatorArgs
from components.gpu_pool import GpuPool
from components.in_cluster import ClusterAccess
from components.priority_expander import PriorityExpander, PriorityExpanderArgs, prefers_spot
from components.rdma_stack import RdmaStack, RdmaStackArgs
from components.region_network import RegionNetwork
from gpufleet.catalog import sizes
from gpufleet.spec.cluster import Cluster
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools


def add_pools(
    parent: pulumi.Resource,
    *,
    scope: ScopeContext,
    spec: Cluster,
    pools: Sequence[Pool],
    cluster: GpuCluster,
    network: RegionNetwork,
) -> dict[str, list[str]]:
    """Add pools and operators to a cluster. Returns the AKS names of each pool, by the pool's own name."""
    # First, because they are a chain, one waiting for the other, while pools are registered side by side.
    _add_operators(parent, scope=scope, pools=pools, cluster=cluster)
    names: dict[str, list[str]] = {}
    for pool in pools:
        is_gpu = sizes.get(pool.sku).is_gpu
        args = PoolArgs(
            scope=scope,
            spec=pool,
            cluster=cluster.cluster,
            kubernetes_version=spec.kubernetes_version,
            subnet_id=network.gpu_subnet_id if is_gpu else network.system_subnet_id,
        )
        component = GpuPool if is_gpu else CpuPool
        names[pool.name] = component(
            f"{scope.name}-{pool.name}", args, opts=pulumi.ResourceOptions(parent=parent)
        ).agent_pool_names
    return names


def common_zone(pools: Sequence[Pool]) -> str | None:
    """The one zone that all pools are in, or None."""
    zones = {tuple(pool.zones) for pool in pools}
    only = next(iter(zones)) if len(zones) == 1 else ()
    return only[0] if len(only) == 1 else None


def _add_operators(parent: pulumi.Resource, *, scope: ScopeContext, pools: Sequence[Pool], cluster: GpuCluster) -> None:
    access = ClusterAccess(
        environment_class=scope.environment.environment_class, provider=cluster.provider, cluster=cluster.cluster
    )
    opts = pulumi.ResourceOptions(parent=parent)
    gpu_pools = [pool for pool in pools if sizes.get(pool.sku).is_gpu]
    may_be_empty = all(plan.min_nodes == 0 for pool in gpu_pools for plan in agent_pools(pool))
    if any(sizes.get(pool.sku).rdma for pool in gpu_pools):
        RdmaStack(f"{scope.name}-rdma", RdmaStackArgs(access=access, may_be_empty=may_be_empty), opts=opts)
    elif gpu_pools:
        GpuOperator(
            f"{scope.name}-gpu-operator",
            GpuOperatorArgs(access=access, rdma=False, may_be_empty=may_be_empty),
            opts=opts,
        )
    if prefers_spot(pools):
        PriorityExpander(f"{scope.name}-priorities", PriorityExpanderArgs(access=access, pools=list(pools)), opts=opts)

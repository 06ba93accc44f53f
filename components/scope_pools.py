"""The pools of one scope, and what the cluster must know of them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.agent_pool import PoolArgs
from components.context import ScopeContext
from components.cpu_pool import CpuPool
from components.gpu_cluster import GpuCluster
from components.gpu_pool import GpuPool
from components.gpu_stack import add_gpu_stack
from components.in_cluster import ClusterAccess
from components.priority_expander import PriorityExpander, PriorityExpanderArgs
from components.region_network import RegionNetwork
from gpufleet.catalog import sizes
from gpufleet.spec.autoscaler_priorities import has_priorities
from gpufleet.spec.cluster import Cluster
from gpufleet.spec.pool import Pool


def add_pools(
    parent: pulumi.Resource,
    *,
    scope: ScopeContext,
    spec: Cluster,
    pools: Sequence[Pool],
    cluster: GpuCluster,
    network: RegionNetwork,
    tags: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, GpuPool | CpuPool]:
    """Add pools and operators to a cluster, `tags` of pools by their names. Returns the pools by their own names."""
    # First, because they are a chain, one waiting for the other, while pools are registered side by side.
    _add_operators(parent, scope=scope, spec=spec, pools=pools, cluster=cluster)
    made: dict[str, GpuPool | CpuPool] = {}
    for pool in pools:
        is_gpu = sizes.get(pool.sku).is_gpu
        args = PoolArgs(
            scope=scope,
            spec=pool,
            cluster=cluster.cluster,
            kubernetes_version=spec.kubernetes_version,
            subnet_id=network.gpu_subnet_id if is_gpu else network.system_subnet_id,
            tags=(tags or {}).get(pool.name, {}),
        )
        component = GpuPool if is_gpu else CpuPool
        made[pool.name] = component(f"{scope.name}-{pool.name}", args, opts=pulumi.ResourceOptions(parent=parent))
    return made


def agent_pool_names(pools: Mapping[str, GpuPool | CpuPool]) -> dict[str, list[str]]:
    """The AKS names of each pool, by the pool's own name."""
    return {name: pool.agent_pool_names for name, pool in pools.items()}


def common_zone(pools: Sequence[Pool]) -> str | None:
    """The one zone that all pools are in, or None."""
    zones = {tuple(pool.zones) for pool in pools}
    only = next(iter(zones)) if len(zones) == 1 else ()
    return only[0] if len(only) == 1 else None


def _add_operators(
    parent: pulumi.Resource, *, scope: ScopeContext, spec: Cluster, pools: Sequence[Pool], cluster: GpuCluster
) -> None:
    access = ClusterAccess(
        environment_class=scope.environment.environment_class, provider=cluster.provider, cluster=cluster.cluster
    )
    opts = pulumi.ResourceOptions(parent=parent)
    add_gpu_stack(parent, scope.name, access=access, spec=spec, pools=pools)
    if has_priorities(pools, spec.autoscaler):
        PriorityExpander(f"{scope.name}-priorities", PriorityExpanderArgs(access=access, pools=list(pools)), opts=opts)

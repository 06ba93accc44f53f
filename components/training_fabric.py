"""A GPU supercomputer for training: one cluster with its network, pools and storage in one region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice, resources
from pulumi_kubernetes import core

from components.batch_queue import BatchQueue, BatchQueueArgs
from components.context import EnvironmentContext, ScopeContext
from components.fabric_volumes import add_volumes, mounted_containers
from components.gpu_cluster import GpuCluster, GpuClusterArgs
from components.in_cluster import ClusterAccess
from components.observability import Observability, ObservabilityArgs
from components.options import Keep, child
from components.outputs import ClusterSummary
from components.region_network import RegionNetwork, RegionNetworkArgs
from components.scope_pools import add_pools, agent_pool_names, common_zone
from components.stop_schedule import StopSchedule, StopScheduleArgs
from components.training_storage import TrainingStorage, TrainingStorageArgs
from gpufleet.catalog import regions, sizes
from gpufleet.sizing.storage import planned_lustre_tib
from gpufleet.spec.addresses import ScopeAddresses
from gpufleet.spec.autoscaler_priorities import has_priorities
from gpufleet.spec.teams import teams
from gpufleet.spec.training import TrainingFabric as TrainingFabricSpec


@dataclass(frozen=True, kw_only=True)
class TrainingFabricArgs:
    """Arguments of TrainingFabric."""

    environment: EnvironmentContext
    spec: TrainingFabricSpec
    addresses: ScopeAddresses
    registry_id: pulumi.Input[str]


class TrainingFabric(pulumi.ComponentResource):
    """Resource group, network, cluster, InfiniBand and CPU pools, operators, Lustre and blobs, logs.

    Nothing of it upgrades by itself: an upgrade drains nodes under a job of weeks, and a new node image can outrun
    Lustre's client.

    Not here: job queues, checkpoint jobs, health repair. One fabric is one cluster: at most 5,000 nodes and 100 pools
    (AKS container-service-limits), so 100,000 GPUs are several fabrics.
    """

    summary: ClusterSummary
    lustre_mount_address: pulumi.Output[str] | None
    storage_account_name: pulumi.Output[str]

    def __init__(self, name: str, args: TrainingFabricArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:training:TrainingFabric", name, {}, opts)
        environment, spec = args.environment, args.spec
        own = pulumi.ResourceOptions(parent=self)
        group_name = environment.names.of("rg", spec.name)
        group = resources.ResourceGroup(
            f"{name}-rg",
            resource_group_name=group_name,
            location=spec.region,
            tags=environment.tags,
            opts=child(self, environment.environment_class, keep=Keep.DATA),
        )
        scope = ScopeContext(
            environment=environment,
            name=spec.name,
            region=spec.region,
            resource_group_name=group.name,
            fabric=spec.name,
        )
        network = RegionNetwork(
            f"{name}-network",
            RegionNetworkArgs(
                scope=scope,
                addresses=args.addresses,
                nat_public_ips=spec.network.nat_public_ips,
                zone=spec.network.nat_zone,
                holds_data=spec.storage.lustre is not None,
            ),
            opts=own,
        )
        cluster = GpuCluster(
            f"{name}-cluster",
            GpuClusterArgs(
                scope=scope,
                spec=spec.cluster,
                network=network,
                registry_id=args.registry_id,
                network_scope_id=network.id,
                follows_priorities=has_priorities(spec.pools, spec.cluster.autoscaler),
                upgrades_by_itself=False,
                maintenance_day=containerservice.WeekDay.SUNDAY,
                mounts_blobs=bool(mounted_containers(spec)),
            ),
            opts=own,
        )
        access = ClusterAccess(
            environment_class=environment.environment_class, provider=cluster.provider, cluster=cluster.cluster
        )
        namespaces: Mapping[str, core.v1.Namespace] = {}
        if teams(spec):
            queue = BatchQueue(f"{name}-queue", BatchQueueArgs(access=access, fabric=spec), opts=own)
            namespaces = queue.namespaces
            if spec.schedules:
                StopSchedule(f"{name}-stops", StopScheduleArgs(access=access, fabric=spec, ready=[queue]), opts=own)
        pools = add_pools(self, scope=scope, spec=spec.cluster, pools=spec.pools, cluster=cluster, network=network)
        has_zones = bool(regions.get(spec.region).has_zones)
        storage = TrainingStorage(
            f"{name}-storage",
            TrainingStorageArgs(
                scope=scope,
                spec=spec.storage,
                lustre_capacity_tib=planned_lustre_tib(spec),
                lustre_zone=_lustre_zone(spec, has_zones=has_zones),
                zone_redundant=has_zones,
                network=network,
                data_principal_id=cluster.kubelet_principal_id,
                minutes_away=[cluster.cluster],
            ),
            opts=own,
        )
        add_volumes(
            self,
            scope=scope,
            spec=spec,
            access=access,
            cluster=cluster,
            storage=storage,
            namespaces=namespaces,
        )
        Observability(
            f"{name}-observability",
            ObservabilityArgs(scope=scope, cluster=cluster.cluster, daily_cap_gb=spec.cluster.logs_daily_cap_gb),
            opts=own,
        )
        self.lustre_mount_address = storage.lustre_mount_address
        self.storage_account_name = storage.account_name
        self.summary = ClusterSummary(
            name=scope.name_of("aks"), resource_group=group_name, region=spec.region, pools=agent_pool_names(pools)
        )
        self.register_outputs({"cluster": self.summary.as_output()})


def _lustre_zone(spec: TrainingFabricSpec, *, has_zones: bool) -> str | None:
    """A file system is in exactly one zone: the stated one, else the GPU pools', else the first of the region."""
    stated = spec.storage.lustre.zone if spec.storage.lustre else None
    readers = [pool for pool in spec.pools if sizes.get(pool.sku).is_gpu] or spec.pools
    return stated or common_zone(readers) or ("1" if has_zones else None)

"""What a fabric's pods mount, out of its storage, pools and teams."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes import core

from components.context import ScopeContext
from components.gpu_cluster import GpuCluster
from components.in_cluster import ClusterAccess
from components.node_scratch import NodeScratch, NodeScratchArgs
from components.training_storage import TrainingStorage
from components.training_volumes import (
    MountedFileSystem,
    TrainingVolumes,
    TrainingVolumesArgs,
    scratch_directory,
)
from gpufleet.sizing.storage import planned_lustre_tib
from gpufleet.spec.scratch import scratch_gb
from gpufleet.spec.storage import BlobMount, Container
from gpufleet.spec.training import TrainingFabric


def mounted_containers(spec: TrainingFabric) -> list[Container]:
    """The containers that pods see as files."""
    return [one for one in spec.storage.blob.all_containers() if one.mount is not BlobMount.NONE]


def add_volumes(
    parent: pulumi.Resource,
    *,
    scope: ScopeContext,
    spec: TrainingFabric,
    access: ClusterAccess,
    cluster: GpuCluster,
    storage: TrainingStorage,
    namespaces: Mapping[str, core.v1.Namespace],
) -> None:
    """Add scratch on the nodes, and drivers, volumes and claims for the teams' namespaces."""
    opts = pulumi.ResourceOptions(parent=parent)
    scratch_pools = [pool for pool in spec.pools if scratch_gb(pool)]
    if scratch_pools:
        NodeScratch(
            f"{scope.name}-scratch",
            NodeScratchArgs(
                access=access, pools=scratch_pools, directories=[scratch_directory(team) for team in namespaces]
            ),
            opts=opts,
        )
    capacity, address = planned_lustre_tib(spec), storage.lustre_mount_address
    file_system = (
        MountedFileSystem(name=scope.name_of("amlfs"), address=address, capacity_tib=capacity)
        if address is not None and capacity is not None
        else None
    )
    containers = mounted_containers(spec)
    if not (file_system or containers or scratch_pools):
        return
    TrainingVolumes(
        f"{scope.name}-volumes",
        TrainingVolumesArgs(
            access=access,
            resource_group_name=scope.resource_group_name,
            pools=spec.pools,
            namespaces={team: namespace.metadata.name for team, namespace in namespaces.items()},
            file_system=file_system,
            containers=containers,
            accounts=storage.container_accounts,
            identity_client_id=cluster.kubelet_client_id,
        ),
        opts=opts,
    )

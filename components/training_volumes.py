"""A fabric's storage inside its cluster: the Lustre driver, and a volume with a claim for each team."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core

from components.claimed_volume import (
    BLOB_DRIVER,
    BLOB_VOLUME_SIZE,
    ClaimedVolume,
    blobfuse_attributes,
    claimed_volume,
)
from components.in_cluster import (
    ClusterAccess,
    controller_tolerations,
    node_agent_tolerations,
    privileged_namespace,
    release,
)
from components.operators import chart
from components.volume_settings import volume_settings
from gpufleet.spec.pool import Pool
from gpufleet.spec.queue import LUSTRE_CLAIM, SCRATCH_CLAIM
from gpufleet.spec.scratch import scratch_gb
from gpufleet.spec.storage import BlobCache, BlobMount, Container

LUSTRE_DRIVER = "azurelustre.csi.azure.com"


@dataclass(frozen=True, kw_only=True)
class MountedFileSystem:
    """A Lustre file system to mount."""

    name: str
    address: pulumi.Input[str]
    """Of its management service."""
    capacity_tib: float


@dataclass(frozen=True, kw_only=True)
class TrainingVolumesArgs:
    """Arguments of TrainingVolumes."""

    access: ClusterAccess
    resource_group_name: pulumi.Input[str]
    """Where the storage accounts are."""
    pools: Sequence[Pool]
    namespaces: Mapping[str, pulumi.Input[str]]
    """Namespace that each team's jobs run in."""
    file_system: MountedFileSystem | None
    containers: Sequence[Container]
    """Those of the specification that are mounted."""
    accounts: Mapping[str, pulumi.Output[str]]
    """Name of each container's storage account."""
    identity_client_id: pulumi.Input[str]
    """Identity of the nodes that reads and writes blobs."""


class TrainingVolumes(pulumi.ComponentResource):
    """Managed Lustre's CSI driver, and static volumes of the file system and of mounted containers.

    A volume is bound by one claim and a claim is in one namespace, so each team has both of each, all of the same
    storage. Volumes are retained: a claim's end is never the data's.

    Not here: a StorageClass that makes file systems. Each would need a subnet of its own and rights of the nodes'
    identity on networks and file systems (azurelustre-csi-driver driver-parameters), and would cost from the first hour
    without standing in any plan. AKS's blob CSI driver is switched on with the cluster.

    Limits that shape it: the driver's node agent runs only where it tolerates all taints, its own start-up taint
    included; its kernel module is built for a list of kernels, so nothing upgrades node images by itself (rule
    PLAT021).
    """

    def __init__(self, name: str, args: TrainingVolumesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:storage:TrainingVolumes", name, {}, opts)
        self._prefix = name
        self._args = args
        if args.file_system is not None:
            self._lustre(args.file_system)
        for container in args.containers:
            self._blobs(container)
        if self._scratch_pools():
            self._scratch()
        self.register_outputs({})

    def _lustre(self, file_system: MountedFileSystem) -> None:
        access = self._args.access
        namespace = privileged_namespace(f"{self._prefix}-lustre-namespace", "azurelustre-csi", access.child(self))
        driver = release(
            f"{self._prefix}-lustre-driver",
            chart("azurelustreCsiDriver"),
            namespace,
            values=lustre_driver_values(self._args.pools),
            skip_await=False,
            opts=access.child(self),
        )
        size = f"{math.floor(file_system.capacity_tib)}Ti"
        for team, team_namespace in self._args.namespaces.items():
            self._volume(
                LUSTRE_CLAIM,
                team,
                team_namespace,
                size=size,
                mount_options=volume_settings().lustre.mount_options,
                csi=core.v1.CSIPersistentVolumeSourceArgs(
                    driver=LUSTRE_DRIVER,
                    volume_handle=f"{file_system.name}_{team}",
                    volume_attributes={"mgs-ip-address": file_system.address},
                ),
                depends_on=[driver],
            )

    def _blobs(self, container: Container) -> None:
        args, nfs = self._args, container.mount is BlobMount.NFS
        account = args.accounts[container.name]
        attributes: dict[str, pulumi.Input[str]] = {
            "resourceGroup": args.resource_group_name,
            "storageAccount": account,
            "containerName": container.name,
        }
        if nfs:
            # 0: leave modes alone. The driver would else open the container's root to everybody at each mount.
            attributes |= {"protocol": "nfs", "mountPermissions": "0"}
        else:
            attributes |= blobfuse_attributes(args.identity_client_id)
        for team, team_namespace in args.namespaces.items():
            self._volume(
                container.name,
                team,
                team_namespace,
                size=BLOB_VOLUME_SIZE,
                mount_options=volume_settings().nfs.mount_options if nfs else self._blobfuse_options(container, team),
                csi=core.v1.CSIPersistentVolumeSourceArgs(
                    driver=BLOB_DRIVER,
                    volume_handle=pulumi.Output.format("{0}_{1}_{2}", account, container.name, team),
                    volume_attributes=attributes,
                ),
                pools=self._scratch_pools() if container.cache is BlobCache.NVME else None,
            )

    def _scratch(self) -> None:
        """On each node the team's own directory of its scratch: the volume is the same, what is in it is not."""
        smallest = min(scratch_gb(pool) for pool in self._scratch_pools())
        for team, team_namespace in self._args.namespaces.items():
            self._volume(
                SCRATCH_CLAIM,
                team,
                team_namespace,
                size=f"{math.floor(smallest * (1 - volume_settings().blobfuse.scratch_share))}G",
                mount_options=[],
                local=core.v1.LocalVolumeSourceArgs(
                    path=f"{volume_settings().scratch.mount_point}/{scratch_directory(team)}"
                ),
                pools=self._scratch_pools(),
            )

    def _scratch_pools(self) -> list[Pool]:
        return [pool for pool in self._args.pools if scratch_gb(pool)]

    def _blobfuse_options(self, container: Container, team: str) -> list[str]:
        caching = [one for one in self._args.containers if one.cache is BlobCache.NVME]
        sizes = [scratch_gb(pool) for pool in self._scratch_pools()] if container in caching else []
        # Two mounts of one node never share a folder: each takes what is in it for its own.
        folder = f"{team}/{container.name}"
        return blobfuse_options(folder, scratch_gbs=sizes, sharing=len(caching) * len(self._args.namespaces))

    def _volume(
        self,
        claim: str,
        team: str,
        namespace: pulumi.Input[str],
        *,
        size: str,
        mount_options: Sequence[str],
        csi: core.v1.CSIPersistentVolumeSourceArgs | None = None,
        local: core.v1.LocalVolumeSourceArgs | None = None,
        pools: Sequence[Pool] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> None:
        volume = ClaimedVolume(
            claim=claim,
            tenant=team,
            namespace=namespace,
            size=size,
            mount_options=mount_options,
            csi=csi,
            local=local,
            pools=pools,
        )
        claimed_volume(self, self._prefix, self._args.access, volume, depends_on=depends_on)


def scratch_directory(team: str) -> str:
    """The directory of a team in a node's scratch."""
    return f"teams/{team}"


def lustre_driver_values(pools: Sequence[Pool]) -> dict[str, object]:
    """Values of the chart: where its pods may run. Everything else is pinned with the chart.

    The chart's own controller tolerates no system pool, on which alone nodes are certain here; its node agents tolerate
    neither taints of one's own nor the one that keeps pods off until they are ready.
    """
    own = [taint for pool in pools for taint in pool.taints]
    return {
        "controller": {"tolerations": controller_tolerations()},
        "node": {
            "tolerations": [
                *node_agent_tolerations(),
                {"key": f"{LUSTRE_DRIVER}/agent-not-ready", "operator": "Exists", "effect": "NoSchedule"},
                *(_toleration(taint) for taint in dict.fromkeys(own)),
            ]
        },
    }


def _toleration(taint: str) -> dict[str, str]:
    """The toleration of a taint that is written `key=value:effect`."""
    key, _, effect = taint.rpartition(":")
    return {"key": key.partition("=")[0], "operator": "Exists", "effect": effect}


def blobfuse_options(folder: str, *, scratch_gbs: Sequence[float], sharing: int) -> list[str]:
    """Options of a container's blobfuse mount.

    Args:
        folder: of the mount's own cache.
        scratch_gbs: GB (10^9 bytes) of scratch on the nodes of each pool that mounts it with a cache on disk; none
            caches in memory alone.
        sharing: how many mounts cache on the same disks.

    Returns:
        The settings' options; with a cache on disk also its path and its size in MB, an equal share of what the
        settings give to caches on the smallest of the nodes.
    """
    settings = volume_settings()
    options = list(settings.blobfuse.mount_options)
    if scratch_gbs:
        share = min(scratch_gbs) * 1000 * settings.blobfuse.scratch_share / sharing
        options += [
            f"--block-cache-path={settings.scratch.mount_point}/blobfuse/{folder}",
            f"--block-cache-disk-size={math.floor(share)}",
        ]
    return options

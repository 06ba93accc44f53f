"""A static volume that one claim in one namespace gets, and the claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta

from components import labels
from components.in_cluster import ClusterAccess
from gpufleet.spec.pool import Pool

BLOB_DRIVER = "blob.csi.azure.com"
BLOB_VOLUME_SIZE = "1Pi"
"""Said because Kubernetes asks for it: the blob driver has no use for it (AKS create-volume-azure-blob-storage)."""


@dataclass(frozen=True, kw_only=True)
class ClaimedVolume:
    """One such volume. Volumes are retained: a claim's end is never the data's."""

    claim: str
    tenant: str
    """Whose it is: with the claim's name it names the volume."""
    namespace: pulumi.Input[str]
    size: str
    mount_options: Sequence[str] = ()
    csi: core.v1.CSIPersistentVolumeSourceArgs | None = None
    local: core.v1.LocalVolumeSourceArgs | None = None
    pools: Sequence[Pool] | None = None
    """Pools whose nodes alone have it; None is any node."""


def claimed_volume(
    parent: pulumi.Resource,
    prefix: str,
    access: ClusterAccess,
    volume: ClaimedVolume,
    *,
    depends_on: Sequence[pulumi.Resource] = (),
) -> core.v1.PersistentVolumeClaim:
    """The volume and its claim, inside the component `parent`."""
    # With a dot, which is in neither name: no two pairs make the same one.
    name = f"{prefix}-{volume.claim}.{volume.tenant}"
    made = core.v1.PersistentVolume(
        name,
        metadata=meta.v1.ObjectMetaArgs(name=f"{volume.claim}.{volume.tenant}"),
        spec=core.v1.PersistentVolumeSpecArgs(
            capacity={"storage": volume.size},
            access_modes=["ReadWriteMany"],
            persistent_volume_reclaim_policy="Retain",
            storage_class_name="",
            volume_mode="Filesystem",
            mount_options=list(volume.mount_options) or None,
            claim_ref=core.v1.ObjectReferenceArgs(
                api_version="v1", kind="PersistentVolumeClaim", namespace=volume.namespace, name=volume.claim
            ),
            csi=volume.csi,
            local=volume.local,
            node_affinity=None if volume.pools is None else _only_on(volume.pools),
        ),
        opts=access.child(parent, depends_on=depends_on),
    )
    return core.v1.PersistentVolumeClaim(
        f"{name}-claim",
        metadata=meta.v1.ObjectMetaArgs(name=volume.claim, namespace=volume.namespace),
        spec=core.v1.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteMany"],
            # Empty, not absent: absent is the cluster's default class.
            storage_class_name="",
            volume_mode="Filesystem",
            volume_name=made.metadata.name,
            resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": volume.size}),
        ),
        opts=access.child(parent),
    )


def blobfuse_attributes(identity_client_id: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """Attributes of a volume that blobfuse mounts with a managed identity of the nodes.

    Without them the driver asks for the account's key, and there is none.
    """
    return {
        "protocol": "fuse2",
        "AzureStorageAuthType": "MSI",
        "AzureStorageIdentityClientID": identity_client_id,
    }


def _only_on(pools: Sequence[Pool]) -> core.v1.VolumeNodeAffinityArgs:
    expression = core.v1.NodeSelectorRequirementArgs(
        key=labels.POOL, operator="In", values=sorted(pool.name for pool in pools)
    )
    term = core.v1.NodeSelectorTermArgs(match_expressions=[expression])
    return core.v1.VolumeNodeAffinityArgs(required=core.v1.NodeSelectorArgs(node_selector_terms=[term]))

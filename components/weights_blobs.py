"""Weights in blob storage: for nodes without disks of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import batch, core, meta

from components import labels
from components.blob_account import BlobAccountArgs, blob_account, blob_dns_zone
from components.claimed_volume import (
    BLOB_DRIVER,
    BLOB_VOLUME_SIZE,
    ClaimedVolume,
    blobfuse_attributes,
    claimed_volume,
)
from components.in_cluster import controller_tolerations
from components.options import child
from components.readiness import NOT_WAITED_FOR
from components.region_serving import RegionServing
from components.roles import Role, assign
from components.serving_names import MODEL_SERVICE_ACCOUNT
from components.volume_settings import volume_settings
from components.weights_pods import WORKLOAD_IDENTITY_LABELS, Puller, pull_policy, puller, volumes
from gpufleet.catalog import regions
from gpufleet.spec.storage import BlobTier, Container

CONTAINER_NAME = "weights"
FILLER = {"app.kubernetes.io/name": "weights-filler"}
_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class WeightsBlobsArgs:
    """Arguments of WeightsBlobs."""

    serving: RegionServing
    claim: str
    namespaces: Mapping[str, pulumi.Input[str]]
    """Namespaces that mount the weights, by their names."""
    after: Sequence[pulumi.Resource]
    """What must be there before anything is put into the namespaces."""


class WeightsBlobs(pulumi.ComponentResource):
    """A storage account of the region with one container, a volume of it in every namespace, and Jobs that fill it.

    The nodes mount it with the kubelet's identity (blobfuse by managed identity); reached by private endpoint alone.

    Not here: the end of weights that nothing serves any more. A folder is named by its digest, so it is seen what may
    go; deleting is a person's act, for another server may still be starting from it.
    """

    claims: dict[str, pulumi.Resource]
    """By namespace."""

    def __init__(self, name: str, args: WeightsBlobsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:WeightsBlobs", name, {}, opts)
        self._prefix = name
        self._args = args
        serving = args.serving
        scope = serving.scope
        blobs = blob_account(
            self,
            name,
            BlobAccountArgs(
                scope=scope,
                purpose="weights",
                tier=BlobTier.STANDARD,
                zone_redundant=bool(regions.get(scope.region).has_zones),
                containers=[Container(name=CONTAINER_NAME)],
                private_endpoint_subnet_id=serving.network.private_endpoint_subnet_id,
                dns_zone=blob_dns_zone(self, name, scope, serving.network.id),
            ),
        )
        role = assign(
            f"{name}-role-blobs",
            Role.STORAGE_BLOB_DATA_CONTRIBUTOR,
            principal_id=serving.cluster.kubelet_principal_id,
            scope=blobs.account.id,
            environment=scope.environment,
            opts=child(self, scope.environment.environment_class),
        )
        self.claims = {}
        for namespace, resource in args.namespaces.items():
            self.claims[namespace] = claimed_volume(
                self,
                name,
                serving.access,
                ClaimedVolume(
                    claim=args.claim,
                    tenant=namespace,
                    namespace=resource,
                    size=BLOB_VOLUME_SIZE,
                    mount_options=volume_settings().blobfuse.mount_options,
                    csi=core.v1.CSIPersistentVolumeSourceArgs(
                        driver=BLOB_DRIVER,
                        volume_handle=pulumi.Output.format("{0}_{1}_{2}", blobs.account.name, args.claim, namespace),
                        volume_attributes={
                            "resourceGroup": scope.resource_group_name,
                            "storageAccount": blobs.account.name,
                            "containerName": CONTAINER_NAME,
                            **blobfuse_attributes(serving.cluster.kubelet_client_id),
                        },
                    ),
                ),
                depends_on=[role, blobs.reachable, *blobs.containers.values(), *args.after],
            )
            pull_policy(
                f"{name}-policy.{namespace}",
                namespace=resource,
                pods=FILLER,
                opts=serving.access.child(self, depends_on=args.after),
            )
        self.register_outputs({})

    def fill(
        self, folder: str, artifact: pulumi.Input[str], *, namespace: str, after: Sequence[pulumi.Resource]
    ) -> None:
        """A Job that pulls an artifact once; servers wait for it, the run does not.

        On the system pool: it always has nodes, and a GPU node that waits for a download costs a hundred times more.
        """
        access, args = self._args.serving.access, self._args
        # A Job's name becomes a label, 63 characters at most; and a Job never changes, so another digest is another.
        short_digest = folder.removeprefix("sha256-")[:16]
        batch.v1.Job(
            f"{self._prefix}-fill-{short_digest}",
            metadata=meta.v1.ObjectMetaArgs(
                name=f"weights-{short_digest}",
                namespace=args.namespaces[namespace],
                labels=labels.MANAGED_BY,
                annotations=NOT_WAITED_FOR,
            ),
            spec=batch.v1.JobSpecArgs(
                backoff_limit=_ATTEMPTS,
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels={**FILLER, **WORKLOAD_IDENTITY_LABELS}),
                    spec=core.v1.PodSpecArgs(
                        restart_policy="OnFailure",
                        service_account_name=MODEL_SERVICE_ACCOUNT,
                        automount_service_account_token=False,
                        security_context=core.v1.PodSecurityContextArgs(
                            run_as_non_root=True, seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault")
                        ),
                        tolerations=[
                            core.v1.TolerationArgs(key=one["key"], operator=one["operator"])
                            for one in controller_tolerations()
                        ],
                        node_selector={"kubernetes.azure.com/mode": "system"},
                        containers=[puller(Puller(artifact=artifact, task="fill"))],
                        volumes=volumes(args.claim),
                    ),
                ),
            ),
            opts=access.child(self, depends_on=after),
        )

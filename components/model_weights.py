"""Weights of the models of a region: from the registry into a cache, and from there into the servers' pods."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import core, meta

from components import labels
from components.claimed_volume import ClaimedVolume, claimed_volume
from components.node_scratch import NodeScratch, NodeScratchArgs
from components.options import child
from components.region_serving import RegionServing
from components.roles import Role, assign
from components.server_pod import pools_of
from components.serving_names import MODEL_SERVICE_ACCOUNT, SERVER_CONTAINER, namespace_of
from components.volume_settings import volume_settings
from components.weights_blobs import WeightsBlobs, WeightsBlobsArgs
from components.weights_pods import (
    CACHE_VOLUME,
    SCRIPT,
    SCRIPTS_NAME,
    WORKLOAD_IDENTITY_LABELS,
    Puller,
    puller,
    script_text,
    volumes,
)
from components.weights_settings import weights_settings
from components.workload_identity import workload_identity
from gpufleet.errors import ConfigurationError
from gpufleet.sizing.serving import memory_needs
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.model import WeightCache, Weights
from gpufleet.spec.pool import Pool
from gpufleet.spec.scratch import scratch_gb, weight_cache

WEIGHTS_PATH = "/weights"
"""Where a server's container has its weights, read-only."""
NVME_CLAIM = "weights"
"""Claim on the node's own disks, in every namespace of servers; also the folder there."""
BLOB_CLAIM = "weights-blob"
"""Claim on the region's container of weights."""
_LEAST_PATIENCE_SECONDS = 600
"""For what takes time whatever the size: sign-in, the manifest, another server of the node that is at it."""


@dataclass(frozen=True, kw_only=True)
class PodWeights:
    """What the pod of a server takes over for its weights to be at `WEIGHTS_PATH`."""

    volumes: Sequence[core.v1.VolumeArgs]
    mounts: Sequence[core.v1.VolumeMountArgs]
    """Of the server's container."""
    init_containers: Sequence[core.v1.ContainerArgs]
    """The server starts once they are done or, where one goes on beside it, ready."""
    service_account: str = MODEL_SERVICE_ACCOUNT
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the pod."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Of the pod."""
    depends_on: Sequence[pulumi.Resource] = ()
    """What must be there before the pod is."""


@dataclass(frozen=True, kw_only=True)
class ModelWeightsArgs:
    """Arguments of ModelWeights."""

    serving: RegionServing
    namespaces: Mapping[str, pulumi.Input[str]]
    """Namespaces of the servers by their names, as outputs of what makes them."""
    after: Sequence[pulumi.Resource] = ()
    """What must be there before anything is put into the namespaces."""


class ModelWeights(pulumi.ComponentResource):
    """Caches of weights on the nodes' NVMe or in blob storage, and the identity that fills them.

    Weights are OCI artifacts of the environment's registry, by digest, so they are replicated, scanned and rolled back
    with it. Pods sign in by workload identity as an identity that has AcrPull and nothing else; there is no secret.

    On NVMe a container beside the server pulls what its node does not have yet, and keeps a lock on it as long as the
    server runs; what nobody uses goes when there is no room. In blob storage a Job fills the container once.

    Not here: who pushes the artifacts (`oras push`, before a roll-out), checks of signatures. KAITO brings its servers'
    weights itself.

    Limits that shape it: Pod Security's `restricted` forbids hostPath, so the NVMe is a local volume
    (NodeScratch mounts it); artifact streaming takes no digests (AKS artifact-streaming-overview); image volumes are
    off in Kubernetes 1.34 unless asked for, which AKS doesn't (KEP-4639), and would fill the operating system's disk.
    """

    def __init__(self, name: str, args: ModelWeightsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ModelWeights", name, {}, opts)
        self._prefix = name
        self._args = args
        plans = [plan for plan in args.serving.plans if plan.form.model.weights is not None]
        used = list(dict.fromkeys(map(namespace_of, plans)))
        self._ready: dict[str, list[pulumi.Resource]] = {}
        if used:
            self._identity(used)
        self._claims: dict[tuple[str, str], Sequence[pulumi.Resource]] = {}
        self._nvme([plan for plan in plans if self._cache(plan) is WeightCache.NVME])
        self._blobs([plan for plan in plans if self._cache(plan) is WeightCache.BLOB])
        self.register_outputs({})

    def volume(self, plan: ServerPlan) -> PodWeights:
        """What the pods of this plan's servers take over.

        Raises:
            ConfigurationError: the form has no weights, so nothing serves it.
        """
        weights = _weights(plan)
        holds = self._cache(plan) is WeightCache.NVME
        claim = NVME_CLAIM if holds else BLOB_CLAIM
        container = Puller(
            artifact=self._artifact(weights),
            task="hold" if holds else "wait",
            patience_seconds=patience_seconds(plan),
        )
        namespace = namespace_of(plan)
        return PodWeights(
            volumes=volumes(claim),
            mounts=[
                core.v1.VolumeMountArgs(
                    name=CACHE_VOLUME, mount_path=WEIGHTS_PATH, sub_path=folder_of(weights), read_only=True
                )
            ],
            init_containers=[puller(container)],
            labels=WORKLOAD_IDENTITY_LABELS if holds else {},
            # The token is the puller's; the server has nothing to sign in to.
            annotations={"azure.workload.identity/skip-containers": SERVER_CONTAINER} if holds else {},
            depends_on=[*self._ready[namespace], *self._claims[namespace, claim]],
        )

    def _identity(self, namespaces: Sequence[str]) -> None:
        """Identity, service accounts and script: what every pod that pulls has."""
        args, name = self._args, self._prefix
        scope, access = args.serving.scope, args.serving.access
        identity = workload_identity(
            self,
            name,
            scope=scope,
            cluster=args.serving.cluster,
            purpose="weights",
            service_accounts=[(namespace, MODEL_SERVICE_ACCOUNT) for namespace in namespaces],
        )
        role = assign(
            f"{name}-role-acrpull",
            Role.ACR_PULL,
            principal_id=identity.principal_id,
            scope=args.serving.registry_id,
            environment=scope.environment,
            opts=child(self, scope.environment.environment_class),
        )
        opts = access.child(self, depends_on=args.after)
        for namespace in namespaces:
            account = core.v1.ServiceAccount(
                f"{name}-account.{namespace}",
                metadata=meta.v1.ObjectMetaArgs(
                    name=MODEL_SERVICE_ACCOUNT,
                    namespace=args.namespaces[namespace],
                    annotations={"azure.workload.identity/client-id": identity.client_id},
                    labels=labels.MANAGED_BY,
                ),
                automount_service_account_token=False,
                opts=opts,
            )
            script = core.v1.ConfigMap(
                f"{name}-script.{namespace}",
                metadata=meta.v1.ObjectMetaArgs(
                    name=SCRIPTS_NAME, namespace=args.namespaces[namespace], labels=labels.MANAGED_BY
                ),
                data={SCRIPT.name: script_text()},
                opts=opts,
            )
            self._ready[namespace] = [role, *identity.credentials, account, script]

    def _nvme(self, plans: Sequence[ServerPlan]) -> None:
        """A volume of each node's own disks for every namespace; all of them are the same folder."""
        if not plans:
            return
        serving = self._args.serving
        pools = list({pool.name: pool for plan in plans for pool in pools_of(plan, serving.region.pools)}.values())
        scratch = NodeScratch(
            f"{self._prefix}-scratch",
            NodeScratchArgs(access=serving.access, pools=pools, directories=[NVME_CLAIM]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        smallest = min(scratch_gb(pool) for pool in pools)
        for namespace in dict.fromkeys(map(namespace_of, plans)):
            claim = claimed_volume(
                self,
                self._prefix,
                serving.access,
                ClaimedVolume(
                    claim=NVME_CLAIM,
                    tenant=namespace,
                    namespace=self._args.namespaces[namespace],
                    size=f"{math.floor(smallest)}G",
                    local=core.v1.LocalVolumeSourceArgs(path=f"{volume_settings().scratch.mount_point}/{NVME_CLAIM}"),
                    pools=pools,
                ),
                depends_on=self._args.after,
            )
            self._claims[namespace, NVME_CLAIM] = [scratch, claim]

    def _blobs(self, plans: Sequence[ServerPlan]) -> None:
        """A container of the region, and a Job for each artifact."""
        if not plans:
            return
        names = dict.fromkeys(map(namespace_of, plans))
        blobs = WeightsBlobs(
            f"{self._prefix}-blobs",
            WeightsBlobsArgs(
                serving=self._args.serving,
                claim=BLOB_CLAIM,
                namespaces={name: self._args.namespaces[name] for name in names},
                after=self._args.after,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        for namespace, claim in blobs.claims.items():
            self._claims[namespace, BLOB_CLAIM] = [claim]
        for weights, namespace in {
            _weights(plan).artifact: (_weights(plan), namespace_of(plan)) for plan in plans
        }.values():
            blobs.fill(
                folder_of(weights),
                self._artifact(weights),
                namespace=namespace,
                after=[*self._ready[namespace], *self._claims[namespace, BLOB_CLAIM]],
            )

    def _cache(self, plan: ServerPlan) -> WeightCache:
        return _cache(plan, self._args.serving.region.pools)

    def _artifact(self, weights: Weights) -> pulumi.Output[str]:
        return pulumi.Output.format("{0}/{1}", self._args.serving.registry_login_server, weights.artifact)


def mounts_weights(pools: Sequence[Pool], plans: Sequence[ServerPlan]) -> bool:
    """Whether servers of a region have their weights in blob storage, so that its nodes must mount it."""
    return any(_cache(plan, pools) is WeightCache.BLOB for plan in plans if plan.form.model.weights is not None)


def folder_of(weights: Weights) -> str:
    """Folder of weights in a cache: the digest of their artifact."""
    return f"sha256-{weights.artifact.rpartition(':')[2]}"


def patience_seconds(plan: ServerPlan) -> int:
    """Seconds after which a pull hangs: weights / least rate of the registry, and ten minutes at least."""
    weights, _ = memory_needs(plan.form.model)
    return max(_LEAST_PATIENCE_SECONDS, math.ceil(weights / (weights_settings().registry.least_mb_per_s * 1e6)))


def _cache(plan: ServerPlan, pools: Sequence[Pool]) -> WeightCache:
    return weight_cache(_weights(plan), pools_of(plan, pools))


def _weights(plan: ServerPlan) -> Weights:
    if (weights := plan.form.model.weights) is None:
        raise ConfigurationError(
            f"{plan.name} has no weights", hint="Name them by digest: weights.artifact of the model or variant."
        )
    return weights

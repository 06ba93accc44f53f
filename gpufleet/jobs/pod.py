"""The pod of a job: one a node, with all of its GPUs and InfiniBand devices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components import labels
from gpufleet.catalog import nccl
from gpufleet.jobs.checkpoints import Checkpointing
from gpufleet.jobs.request import JobKind, JobRequest, Target
from gpufleet.spec.queue import LUSTRE_CLAIM, SCRATCH_CLAIM
from gpufleet.spec.scratch import scratch_gb
from gpufleet.spec.storage import BlobCache, BlobMount

CONTAINER = "node"
"""Name of the container: the Kubeflow Trainer looks for it."""
TOPOLOGY_MOUNT = "/etc/nccl"
SPOT_GRACE_SECONDS = 25
"""Azure gives 30 seconds at best from the notice to the end of a spot node (AKS node-auto-drain); SIGKILL comes before
that."""
LEAST_GRACE_SECONDS, MOST_GRACE_SECONDS = 30, 1800
"""Kubernetes' own default, and what an AKS upgrade waits for a pod to go (upgradeSettings.drainTimeoutInMinutes)."""
LAUNCHER_CPUS, LAUNCHER_MEMORY_GIB = 1, 2
"""What an MPI launcher has of the node that it shares with a worker."""

_REQUIRED_TOPOLOGY = "kueue.x-k8s.io/podset-required-topology"
_POD_SET_GROUP = "kueue.x-k8s.io/podset-group-name"
_USER = 1000

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A claim in the team's namespace, and where a job sees it."""

    claim: str
    path: str


def mounts(target: Target) -> list[Mount]:
    """The storage that jobs of a pool see: each claim by its name under /."""
    storage, has_scratch = target.fabric.storage, bool(scratch_gb(target.pool))
    claims = [LUSTRE_CLAIM] if storage.lustre is not None else []
    claims += [
        container.name
        for container in storage.blob.all_containers()
        if container.mount is not BlobMount.NONE and (has_scratch or container.cache is not BlobCache.NVME)
    ]
    if has_scratch:
        claims.append(SCRATCH_CLAIM)
    return [Mount(claim=claim, path=f"/{claim}") for claim in claims]


def template(target: Target, request: JobRequest, spec: Manifest) -> Manifest:
    """A pod template, with what keeps a gang in one InfiniBand domain and an MPI launcher beside its workers."""
    if not target.size.rdma:
        return {"spec": spec}
    group = {_POD_SET_GROUP: "gang"} if request.kind is JobKind.MPI_JOB else {}
    return {"metadata": {"annotations": {_REQUIRED_TOPOLOGY: labels.INFINIBAND_DOMAIN, **group}}, "spec": spec}


def environment(target: Target, request: JobRequest, checkpointing: Checkpointing | None) -> dict[str, str]:
    """Environment variables of the job, beside the ones that Trainer or MPI set themselves."""
    found: dict[str, str] = {}
    if target.profile is not None:
        found |= nccl.environment(target.profile.series)
        if target.profile.nccl_topology is not None:
            found["NCCL_TOPO_FILE"] = f"{TOPOLOGY_MOUNT}/{target.profile.nccl_topology}"
    if request.checkpoint_directory is not None:
        found["CHECKPOINT_DIR"] = request.checkpoint_directory
    if checkpointing is not None:
        found["CHECKPOINT_INTERVAL_SECONDS"] = str(max(1, math.floor(checkpointing.interval_seconds)))
    if request.resume:
        found["RESUME_FROM_CHECKPOINT"] = "latest"
    return found


def worker(target: Target, request: JobRequest, checkpointing: Checkpointing | None) -> Manifest:
    """Spec of the pod that takes a whole node. Its command and environment are the kind's to add."""
    has_launcher = request.kind is JobKind.MPI_JOB
    amounts: dict[str, str | int] = {
        "cpu": target.capacity.cpus - (LAUNCHER_CPUS if has_launcher else 0),
        "memory": f"{target.capacity.memory_gib - (LAUNCHER_MEMORY_GIB if has_launcher else 0)}Gi",
    }
    if not target.claims_devices:
        amounts[target.capacity.gpu_resource] = target.capacity.gpus
    if target.size.rdma:
        resource = target.fabric.cluster.rdma_devices.resource
        # Of the shared plugin, one is all of them.
        amounts[resource] = target.capacity.rdma_devices if resource == "rdma/ib" else 1
    resources: Manifest = {"requests": dict(amounts), "limits": dict(amounts)}
    volumes: list[Manifest] = [{"name": "shm", "emptyDir": {"medium": "Memory"}}]
    volume_mounts: list[Manifest] = [{"name": "shm", "mountPath": "/dev/shm"}]  # noqa: S108 the pod's own memory
    if target.profile is not None and target.profile.nccl_topology is not None:
        volumes.append({"name": "nccl-topology", "configMap": {"name": topology_name(request)}})
        volume_mounts.append({"name": "nccl-topology", "mountPath": TOPOLOGY_MOUNT, "readOnly": True})
    for mount in mounts(target):
        volumes.append({"name": mount.claim, "persistentVolumeClaim": {"claimName": mount.claim}})
        volume_mounts.append({"name": mount.claim, "mountPath": mount.path})
    claims = claim_names(target, request)
    if claims:
        resources["claims"] = [{"name": name} for name in claims]
    container: Manifest = {
        "name": CONTAINER,
        "image": request.image,
        "resources": resources,
        "securityContext": _container_security(target, request),
        "volumeMounts": volume_mounts,
    }
    spec = {**_pod(target, request, checkpointing), "containers": [container], "volumes": volumes}
    if claims:
        spec["resourceClaims"] = [
            {"name": name, "resourceClaimTemplateName": template} for name, template in claims.items()
        ]
    return spec


def launcher(target: Target, request: JobRequest, checkpointing: Checkpointing | None) -> Manifest:
    """Spec of an MPI launcher's pod: small, beside a worker."""
    amounts = {"cpu": LAUNCHER_CPUS, "memory": f"{LAUNCHER_MEMORY_GIB}Gi"}
    forwarded = environment(target, request, checkpointing)
    variables = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        # sshd on the workers starts processes without the pod's environment, so mpirun has to bring it.
        "OMPI_MCA_mca_base_env_list": ";".join(forwarded),
        **forwarded,
    }
    container: Manifest = {
        "name": "launcher",
        "image": request.image,
        "command": list(request.command),
        "env": variable_list(variables),
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    return {**_pod(target, request, checkpointing), "containers": [container]}


def variable_list(variables: Mapping[str, str]) -> list[Manifest]:
    """A container's `env`."""
    return [{"name": name, "value": value} for name, value in variables.items()]


def topology_name(request: JobRequest) -> str:
    """Name of the ConfigMap with NCCL's topology file."""
    return f"{request.name}-nccl-topology"


def claim_names(target: Target, request: JobRequest) -> dict[str, str]:
    """The pod's resource claims, and the ResourceClaimTemplate of each."""
    if not target.claims_devices:
        return {}
    claims = {"gpus": f"{request.name}-gpus"}
    if target.has_nvlink_domain and request.nodes > 1:
        claims["nvlink-domain"] = f"{request.name}-nvlink-domain"
    return claims


def _pod(target: Target, request: JobRequest, checkpointing: Checkpointing | None) -> Manifest:
    taints = [*target.pool.taints, *([labels.SPOT_TAINT] if target.is_spot else [])]
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {labels.POOL: target.pool.name},
        "securityContext": _pod_security(target, request),
        "terminationGracePeriodSeconds": grace_seconds(target, checkpointing),
    }
    if taints:
        # The queue adds the tolerations of GPU nodes; these say that the job may run on nodes such as these.
        spec["tolerations"] = [labels.toleration(taint) for taint in taints]
    return spec


def grace_seconds(target: Target, checkpointing: Checkpointing | None) -> int:
    """Seconds from SIGTERM to SIGKILL: time to write a checkpoint, as far as the node has it."""
    if target.is_spot:
        return SPOT_GRACE_SECONDS
    needed = LEAST_GRACE_SECONDS + (math.ceil(checkpointing.write_seconds) if checkpointing else 0)
    return min(needed, MOST_GRACE_SECONDS)


def _pod_security(target: Target, request: JobRequest) -> Manifest:
    profile = {"seccompProfile": {"type": "RuntimeDefault"}}
    if target.size.rdma or request.kind is JobKind.MPI_JOB:
        # Kubernetes gives an added capability to root alone (there are no ambient ones, KEP-2763), and AKS leaves the
        # limit on locked memory as it is: only root's IPC_LOCK lets RDMA pin memory. MPI's sshd is root's as well.
        return {"runAsUser": 0, **profile}
    return {"runAsNonRoot": True, "runAsUser": _USER, "runAsGroup": _USER, **profile}


def _container_security(target: Target, request: JobRequest) -> Manifest:
    added = ["IPC_LOCK"] if target.size.rdma else []
    # MPI's sshd changes users and root directories; the container runtime's own set has what it needs for that.
    dropped = ["MKNOD", "NET_RAW"] if request.kind is JobKind.MPI_JOB else ["ALL"]
    capabilities = {"drop": dropped, **({"add": added} if added else {})}
    return {"allowPrivilegeEscalation": False, "capabilities": capabilities}

"""From a request to the Kubernetes manifests of a job, in the order in which they are submitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from components import labels
from gpufleet.catalog import nccl
from gpufleet.errors import ConfigurationError
from gpufleet.jobs.checkpoints import Checkpointing, checkpointing
from gpufleet.jobs.kinds import batch_job, mpi_job, train_job
from gpufleet.jobs.pod import Manifest, claim_names, mounts, topology_name
from gpufleet.jobs.request import JobKind, JobRequest, Target, resolve
from gpufleet.spec.environment import Environment
from gpufleet.spec.queue import LOCAL_QUEUE, team_namespace


@dataclass(frozen=True, kw_only=True)
class RenderedJob:
    """A job's manifests and where it goes."""

    target: Target
    checkpointing: Checkpointing | None
    manifests: tuple[Manifest, ...]

    def as_yaml(self) -> str:
        """One document each, ready for `kubectl apply -f -`."""
        return yaml.dump_all(self.manifests, Dumper=_Dumper, sort_keys=False, explicit_start=True, width=1000)


def render(environment: Environment, request: JobRequest) -> RenderedJob:
    """The manifests of a job.

    Raises:
        ConfigurationError: something that is asked for doesn't exist or can never run; see `resolve`.
    """
    target = resolve(environment, request)
    _check_directory(target, request)
    times = checkpointing(target, request)
    body = {JobKind.TRAIN_JOB: train_job, JobKind.MPI_JOB: mpi_job, JobKind.JOB: batch_job}[request.kind]
    manifests = [*_topology(target, request), *_claims(target, request), *body(target, request, times)]
    for manifest in manifests:
        manifest["metadata"] |= {"namespace": team_namespace(target.team.name), "labels": _labels(target, request)}
    # The last one is the job; what the queue asks of it, it asks of no other.
    manifests[-1]["metadata"]["labels"] |= {
        "kueue.x-k8s.io/queue-name": LOCAL_QUEUE,
        "kueue.x-k8s.io/priority-class": (request.priority or target.team.priority).value,
    }
    return RenderedJob(target=target, checkpointing=times, manifests=tuple(manifests))


def _labels(target: Target, request: JobRequest) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": request.name,
        **labels.MANAGED_BY,
        labels.FABRIC: target.fabric.name,
        labels.TEAM: target.team.name,
    }


def _check_directory(target: Target, request: JobRequest) -> None:
    directory = request.checkpoint_directory
    if directory is None:
        return
    seen = [mount.path for mount in mounts(target) if mount.path != "/scratch"]
    if not any(f"{directory}/".startswith(f"{path}/") for path in seen) or ".." in directory.split("/"):
        raise ConfigurationError(
            f"--checkpoint-dir {directory}: not on storage that outlives a node",
            hint=f"Jobs on pool {target.pool.name} see {', '.join(seen)}."
            if seen
            else "Give the fabric storage.lustre, or a blob container with `mount`.",
        )


def _topology(target: Target, request: JobRequest) -> list[Manifest]:
    if target.profile is None or target.profile.nccl_topology is None:
        return []
    name = target.profile.nccl_topology
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": topology_name(request)},
            "data": {name: nccl.topology_file(name)},
        }
    ]


def _claims(target: Target, request: JobRequest) -> list[Manifest]:
    """What pods claim where GPUs are given out by Dynamic Resource Allocation.

    Device class and ComputeDomain are those of NVIDIA's DRA driver (NVIDIA/k8s-dra-driver-gpu); the driver makes the
    claim template of the NVLink domain itself, by the name that the ComputeDomain has.
    """
    names = claim_names(target, request)
    manifests: list[Manifest] = []
    if "gpus" in names:
        asked = {"deviceClassName": "gpu.nvidia.com", "allocationMode": "ExactCount", "count": target.capacity.gpus}
        manifests.append(
            {
                "apiVersion": "resource.k8s.io/v1",
                "kind": "ResourceClaimTemplate",
                "metadata": {"name": names["gpus"]},
                "spec": {"spec": {"devices": {"requests": [{"name": "gpus", "exactly": asked}]}}},
            }
        )
    if "nvlink-domain" in names:
        manifests.append(
            {
                "apiVersion": "resource.nvidia.com/v1beta1",
                "kind": "ComputeDomain",
                "metadata": {"name": request.name},
                "spec": {
                    # 0: the domain follows the pods (NVIDIA/k8s-dra-driver-gpu, with IMEXDaemonsWithDNSNames).
                    "numNodes": 0,
                    "channel": {"resourceClaimTemplate": {"name": names["nvlink-domain"]}},
                },
            }
        )
    return manifests


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, nested lists indented, nothing as an alias: what people write by hand."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Lists are indented."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """No aliases."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)

__all__: Sequence[str] = ("RenderedJob", "render")

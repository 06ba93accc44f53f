"""What a person asks of `gpufleet job render`, and what it resolves to on the fabric."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gpufleet.catalog import node_capacity, node_profiles, sizes
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.node_capacity import NodeCapacity
from gpufleet.catalog.node_profiles import NodeProfile
from gpufleet.errors import ConfigurationError
from gpufleet.plural import plural
from gpufleet.spec.base import Priority
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.queue import JobPriority, Team
from gpufleet.spec.teams import most_nodes, queued_pools, reachable_nodes, teams
from gpufleet.spec.training import TrainingFabric

_DIGEST = re.compile(r"^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64}$")
# A pod's name is the job's with "-node-0-99-xxxxx" behind it, and a host name of 63 characters at the most.
_NAME = re.compile(r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")


class JobKind(StrEnum):
    """The Kubernetes kind of a job."""

    TRAIN_JOB = "trainjob"
    """Kubeflow Trainer: the same command on every node, with PyTorch's rendezvous set up (torchrun)."""
    MPI_JOB = "mpijob"
    """MPI operator: the command runs once, on a launcher that starts processes on the nodes (mpirun)."""
    JOB = "job"
    """Kubernetes' own: one node."""


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A job as asked for."""

    name: str
    image: str
    command: tuple[str, ...]
    nodes: int
    fabric: str | None = None
    """None is the environment's only one."""
    team: str | None = None
    """None is the fabric's only one."""
    pool: str | None = None
    """None is the only pool that the team can get."""
    kind: JobKind = JobKind.TRAIN_JOB
    resume: bool = False
    """The job starts again from its last checkpoint by itself."""
    checkpoint_directory: str | None = None
    max_restarts: int = 50
    priority: JobPriority | None = None
    """None is the team's."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a job goes."""

    fabric: TrainingFabric
    team: Team
    pool: Pool
    size: sizes.Size
    capacity: NodeCapacity
    profile: NodeProfile | None
    """None for a size without InfiniBand."""

    @property
    def is_spot(self) -> bool:
        """Whether Azure may take the nodes back."""
        return self.pool.priority is Priority.SPOT

    @property
    def claims_devices(self) -> bool:
        """Whether GPUs are claimed (Dynamic Resource Allocation) and not asked for as a resource."""
        return self.fabric.cluster.gpu_stack is GpuStack.OPERATOR_DRA and self.size.gpu_vendor == "NVIDIA"

    @property
    def has_nvlink_domain(self) -> bool:
        """Whether NVLink spans nodes, so that a job needs a ComputeDomain."""
        return self.profile is not None and self.profile.nvlink_rack_nodes is not None


def resolve(environment: Environment, request: JobRequest) -> Target:
    """The fabric, team and pool of a request.

    Raises:
        ConfigurationError: something of it doesn't exist, or can never run there; the text says what would do.
    """
    _check_form(request)
    fabric = _fabric(environment, request.fabric)
    team = _team(fabric, request.team)
    pool = _pool(fabric, team, request.pool)
    size = sizes.get(pool.sku)
    target = Target(
        fabric=fabric,
        team=team,
        pool=pool,
        size=size,
        capacity=node_capacity.of(size),
        profile=node_profiles.find(size),
    )
    _check_nodes(target, request)
    if target.is_spot and not request.resume:
        raise ConfigurationError(
            f"pool {pool.name} is spot: Azure takes its nodes back with 30 seconds' notice, and the job doesn't say "
            "that it resumes",
            hint="Add --resume to a job that starts again from its last checkpoint, or name a regular --pool.",
        )
    if target.is_spot and request.nodes > 1:
        raise ConfigurationError(
            f"pool {pool.name} is spot, and a gang of {request.nodes} nodes stops with each that Azure takes back",
            hint="Name a regular --pool, or ask for one node (AKS spot-node-pool).",
        )
    if target.has_nvlink_domain and not target.claims_devices:
        raise ConfigurationError(
            f"pool {pool.name}: jobs on {size.name} claim their NVLink domain by Dynamic Resource Allocation, and "
            f"fabric {fabric.name} has the GPU stack {fabric.cluster.gpu_stack.value}",
            hint="Set cluster.gpuStack to operator-dra.",
        )
    return target


def _check_form(request: JobRequest) -> None:
    if not _NAME.match(request.name):
        raise ConfigurationError(
            f"--name {request.name}: not a job's name",
            hint="1 to 40 lower-case letters, digits and hyphens, beginning with a letter and not ending in a hyphen.",
        )
    if not _DIGEST.match(request.image):
        raise ConfigurationError(
            f"--image {request.image}: not pinned by a digest",
            hint="A tag can mean another image after a restart. Write registry/name@sha256:…; `docker buildx "
            "imagetools inspect` shows an image's digest.",
        )
    if not request.command:
        raise ConfigurationError("no command is given", hint="Write it last, after --: -- torchrun train.py.")
    if request.nodes < 1:
        raise ConfigurationError(f"--nodes {request.nodes}: a job has one node at least")
    if request.kind is JobKind.JOB and request.nodes > 1:
        raise ConfigurationError(
            f"--kind job: a plain Job has no gang, and {request.nodes} nodes are asked for",
            hint="Use --kind trainjob (torchrun) or --kind mpijob (mpirun).",
        )


def _fabric(environment: Environment, name: str | None) -> TrainingFabric:
    fabrics = {fabric.name: fabric for fabric in environment.training}
    if not fabrics:
        raise ConfigurationError("the environment has no training fabric", hint="Jobs run on those alone.")
    return fabrics[_named("fabric", name, fabrics, "the environment")]


def _team(fabric: TrainingFabric, name: str | None) -> Team:
    known = {team.name: team for team in teams(fabric)}
    if not known:
        raise ConfigurationError(f"fabric {fabric.name} has no GPU pool, and so no queue")
    return known[_named("team", name, known, f"fabric {fabric.name}")]


def _pool(fabric: TrainingFabric, team: Team, name: str | None) -> Pool:
    every = {pool.name: pool for pool in queued_pools(fabric)}
    if name is not None:
        return every[_named("pool", name, every, f"fabric {fabric.name}, with GPUs,")]
    usable = {key: pool for key, pool in every.items() if reachable_nodes(fabric, team, key) > 0}
    if not usable:
        raise ConfigurationError(
            f"team {team.name} has no nodes of fabric {fabric.name} and none to borrow",
            hint=f"Give it some under training[].queue.teams, of {', '.join(every)}.",
        )
    return usable[_named("pool", None, usable, f"team {team.name}")]


def _named(what: str, name: str | None, known: Iterable[str], owner: str) -> str:
    names = list(known)
    listed = ", ".join(names)
    if name is None:
        if len(names) > 1:
            raise ConfigurationError(
                f"{owner} has {len(names)} {what}s, and none is named", hint=f"Add --{what}: {listed}."
            )
        return names[0]
    if name not in names:
        near = nearest_name(name, names)
        hint = f"Did you mean {near}?" if near else f"There {'is' if len(names) == 1 else 'are'} {listed}."
        raise ConfigurationError(f"--{what} {name}: {owner} has no such {what}", hint=hint)
    return name


def _check_nodes(target: Target, request: JobRequest) -> None:
    fabric, team, pool = target.fabric, target.team, target.pool
    asked = f"--nodes {request.nodes}"
    most = most_nodes(pool)
    if request.nodes > most:
        raise ConfigurationError(f"{asked}: pool {pool.name} has {most} at the most")
    domain = max(plan.max_nodes for plan in agent_pools(pool))
    if target.size.rdma and request.nodes > domain:
        raise ConfigurationError(
            f"{asked}: an InfiniBand domain of pool {pool.name} has {domain} at the most, and a job stays in one",
            hint="InfiniBand doesn't reach beyond a scale set (azure-compute-docs setup-infiniband). Larger domains "
            "take a support request: pools[].infiniband.",
        )
    reachable = reachable_nodes(fabric, team, pool.name)
    if request.nodes > reachable:
        own = team.nominal_nodes.get(pool.name, 0)
        raise ConfigurationError(
            f"{asked}: team {team.name} has {plural(own, 'node')} of pool {pool.name} and may borrow "
            f"{reachable - own}, so the job would wait for ever",
            hint="Change training[].queue.teams, or ask for fewer.",
        )

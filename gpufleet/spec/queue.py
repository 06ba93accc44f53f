"""The queue of a training fabric: teams and what each may use."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import PoolName, Spec

DEFAULT_TEAM = "default"
"""The one team of a fabric that names none."""
LOCAL_QUEUE = "training"
"""Name of the LocalQueue in every team's namespace. Not `default`, which Kueue gives to every job without a queue: a
team's CPU jobs beside the training would then wait for GPUs."""
LUSTRE_CLAIM = "lustre"
"""Name of the PersistentVolumeClaim of the fabric's file system in every team's namespace."""
SCRATCH_CLAIM = "scratch"
"""Name of the PersistentVolumeClaim of the team's directory on a node's local NVMe, in every team's namespace."""

TeamName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$")]
"""Name of a team: of its ClusterQueue, and of its namespace after `team-`."""

_Nodes = Annotated[int, Field(ge=0, le=5000)]


class QueueingStrategy(StrEnum):
    """Kueue's `queueingStrategy`."""

    BEST_EFFORT_FIFO = "BestEffortFIFO"
    """Jobs that fit pass an older one that doesn't: GPUs stay busy, and a large job may wait for long."""
    STRICT_FIFO = "StrictFIFO"
    """The oldest job of the highest priority goes first, and GPUs idle until it fits."""


class JobPriority(StrEnum):
    """The WorkloadPriorityClasses of every fabric: which job of a team goes first, and may evict which."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Team(Spec):
    """A team with its share of the GPU pools, in whole nodes."""

    name: TeamName
    """Name of the team; its namespace is `team-<name>`."""
    nominal_nodes: dict[PoolName, _Nodes]
    """Nodes of each GPU pool that are the team's own: others borrow them while they are idle, and give them back when
    the team has work."""
    borrowing_nodes: dict[PoolName, _Nodes] = {}
    """The most nodes of a pool that it may borrow; no limit unless given."""
    lending_nodes: dict[PoolName, _Nodes] = {}
    """The most of its own nodes that it lends; all of them unless given."""
    priority: Annotated[JobPriority, Field(strict=False)] = JobPriority.NORMAL
    """Priority of its jobs that state none."""


class Queue(Spec):
    """Who may use the fabric's GPU pools, and how much of them."""

    teams: Annotated[list[Team], Field(max_length=100)] = []
    """None is one team, `default`, with all GPU nodes."""
    strategy: Annotated[QueueingStrategy, Field(strict=False)] = QueueingStrategy.BEST_EFFORT_FIFO
    """Which job of a team goes first."""
    start_minutes: Annotated[int, Field(ge=5, le=240)] = 30
    """How long a job that was let in may take until all its pods run, pulling its image included; then it goes back
    into the queue (Kueue `waitForPodsReady`)."""


def team_namespace(team: str) -> str:
    """The namespace of a team's jobs."""
    return f"team-{team}"

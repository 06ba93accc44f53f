"""Whether a region can take a release: its registry replica, its nodes, room for one more server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gpufleet.errors import ExitCode, GpufleetError
from gpufleet.plural import plural


class NotReadyError(GpufleetError):
    """A region can't take the release now; nothing in it was changed."""

    exit_code = ExitCode.PREFLIGHT


class ReadinessUnknownError(GpufleetError):
    """Nobody can tell whether a region can take the release."""

    exit_code = ExitCode.UNDECIDED


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The nodes of one VM size in one region.

    Attributes:
        size: ARM name.
        ready, there: nodes that are ready, and all that are there.
        most: what the pools may grow to.
        quota_left: vCPUs of the size's family that the subscription may still use there.
        vcpus: of one node.
        per_server: nodes that one more server takes; 0 where it shares a node with others.
    """

    size: str
    ready: int
    there: int
    most: int
    quota_left: int
    vcpus: int
    per_server: int


class Region(Protocol):
    """What there is to ask about one region; every question raises ReadinessUnknownError when nobody answers."""

    def replica(self) -> str:
        """Status of the registry's replica: `Ready`, or Azure's word for what else."""

    def missing(self, repository: str, digest: str) -> bool:
        """Whether the replica lacks a manifest."""

    def unsigned(self, repository: str, digest: str) -> str:
        """Why no trusted signature covers a manifest; "" when one does, or none is asked for."""

    def nodes(self) -> Sequence[Nodes]:
        """Nodes of every size that serves the models of the release."""


def problems(region: Region, *, images: Sequence[str], weights: Sequence[str], login_server: str) -> Iterator[str]:
    """What stands against a release in a region, in words with what to do.

    Args:
        region: whom to ask.
        images: `[<host>/]<repository>@sha256:<hex>`; only those of `login_server` are looked for.
        weights: `<repository>@sha256:<hex>` in the registry.
        login_server: host name of the registry.

    Raises:
        ReadinessUnknownError: a question has no answer.
    """
    status = region.replica()
    if status != "Ready":
        yield f"its registry replica is {status}, not Ready: wait for the replication to end"
    own = [image.removeprefix(f"{login_server}/") for image in images if image.startswith(f"{login_server}/")]
    for reference in [*own, *weights]:
        repository, _, digest = reference.partition("@")
        if region.missing(repository, digest):
            yield f"its registry replica lacks {reference}: push it, or wait until it is replicated"
        elif why := region.unsigned(repository, digest):
            yield f"{reference} has no trusted signature: {why}"
    yield from _node_problems(region.nodes())


def _node_problems(every: Sequence[Nodes]) -> Iterator[str]:
    for nodes in every:
        if nodes.ready < nodes.there:
            yield f"{nodes.ready} of {plural(nodes.there, 'node')} of {nodes.size} ready: repair the others first"
        if not nodes.per_server:
            continue
        if nodes.there + nodes.per_server > nodes.most:
            yield (
                f"no room for a new server beside the old ones: {nodes.there} of at most {nodes.most} nodes of "
                f"{nodes.size} are there, and a server takes {nodes.per_server}: raise nodes.max of a pool first"
            )
        elif nodes.quota_left < nodes.per_server * nodes.vcpus:
            yield (
                f"no quota for a new server beside the old ones: {nodes.quota_left} vCPUs of {nodes.size}'s family are "
                f"left, and it takes {nodes.per_server * nodes.vcpus}: ask Azure for more"
            )

"""Blob containers: which ways to mount, keep and lock them go together."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import ITEMS, Problem, quoted
from gpufleet.spec.queue import LUSTRE_CLAIM, SCRATCH_CLAIM
from gpufleet.spec.scratch import scratch_gb
from gpufleet.spec.storage import BlobCache, BlobMount, BlobTier, Container
from gpufleet.spec.training import TrainingFabric

_SUPPORT = "storage-feature-support-in-storage-accounts"
_LIFECYCLE = "storage lifecycle-management-overview"


def check_containers(environment: Environment) -> Iterator[Problem]:
    """Every container of every fabric."""
    for place, fabric in enumerate(environment.training):
        blob = ("training", place, "storage", "blob")
        for index, container in enumerate(fabric.storage.blob.all_containers()):
            path = (*blob, "containers", index)
            yield from _mount(fabric, container, path)
            yield from _immutable(container, path)
            yield from _lifecycle(fabric, container, path, blob)


def _mount(fabric: TrainingFabric, container: Container, path: Path) -> Iterator[Problem]:
    if container.mount is not BlobMount.NONE and container.name in (LUSTRE_CLAIM, SCRATCH_CLAIM):
        yield Problem(
            path=(*path, "name"),
            message=f"{quoted(container.name)} is the name of another volume that every team has",
            fix="Give a container that is mounted another name",
            reads=((*path, "name"), (*path, "mount")),
        )
    if container.cache is not BlobCache.NVME:
        return
    pools = (*path[:2], "pools")
    if container.mount is not BlobMount.BLOBFUSE:
        yield Problem(
            path=(*path, "cache"),
            message=f"only blobfuse has a cache, and mount is {container.mount}",
            fix="Set mount to blobfuse, or leave cache out",
            reads=((*path, "mount"),),
        )
    elif not any(scratch_gb(pool) for pool in fabric.pools):
        yield Problem(
            path=(*path, "cache"),
            message="no pool of the fabric has scratch on local NVMe",
            fix="Leave it out: blobfuse then caches in memory",
            reads=((*path, "cache"), (*pools, ITEMS), pools),
        )


def _immutable(container: Container, path: Path) -> Iterator[Problem]:
    if container.immutable_days is None:
        return
    at, reads = (*path, "immutableDays"), ((*path, "mount"), (*path, "lifecycle"))
    if container.mount is BlobMount.NFS:
        yield Problem(
            path=at,
            message="accounts with NFS have no immutable blobs",
            fix="Keep the last good checkpoint in a container that is not mounted",
            source=_SUPPORT,
            reads=reads,
        )
    elif container.mount is BlobMount.BLOBFUSE:
        yield Problem(
            path=at,
            message="blobfuse writes a file in several steps, and in an immutable container the second one is refused",
            fix="Leave mount out, and copy checkpoints into it by the blob API",
            source="storage immutable-container-level-worm-policies",
            reads=reads,
        )
    if container.lifecycle is not None and container.lifecycle.delete_after_days is not None:
        yield Problem(
            path=(*path, "lifecycle", "deleteAfterDays"),
            message="what holds the last good checkpoint must not be emptied by age",
            fix="Leave it out: when a run pauses, the newest checkpoint grows old too",
            source=_LIFECYCLE,
            reads=((*path, "immutableDays"), (*path, "lifecycle")),
        )


def _lifecycle(fabric: TrainingFabric, container: Container, path: Path, blob: Path) -> Iterator[Problem]:
    if (rule := container.lifecycle) is None:
        return
    at = (*path, "lifecycle")
    cool, delete = rule.cool_after_days, rule.delete_after_days
    if cool is None and delete is None:
        yield Problem(
            path=at, message="says nothing to do", fix="Set coolAfterDays or deleteAfterDays, or leave it out"
        )
    if cool is not None and fabric.storage.blob.tier is BlobTier.PREMIUM:
        yield Problem(
            path=(*at, "coolAfterDays"),
            message="premium accounts have no cool tier",
            fix="Leave it out, or set tier to standard",
            source=_SUPPORT,
            reads=((*at, "coolAfterDays"), (*blob, "tier")),
        )
    if cool is not None and delete is not None and cool >= delete:
        yield Problem(
            path=(*at, "coolAfterDays"),
            message=f"{cool} days are not before the deletion after {delete}",
            fix="Make it smaller, or leave it out",
            source=_LIFECYCLE,
            reads=(at,),
        )
    if delete is not None and container.immutable_days is None and not _last_good(fabric):
        yield Problem(
            path=(*at, "deleteAfterDays"),
            message=f"would delete the newest checkpoint of {quoted(container.name)} too, once a run pauses that long",
            fix="Add a container for the last good one: `- {name: last-good, immutableDays: 30}`",
            source=_LIFECYCLE,
            reads=((*at, "deleteAfterDays"), (*blob, "containers")),
        )


def _last_good(fabric: TrainingFabric) -> bool:
    return any(container.immutable_days for container in fabric.storage.blob.all_containers())

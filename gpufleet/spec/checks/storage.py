"""Managed Lustre: what it accepts, and what its client runs on."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from gpufleet.catalog import lustre, node_profiles, sizes
from gpufleet.spec.addresses import Scope, scope_addresses, scopes
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import Pool
from gpufleet.spec.problem import ITEMS, Problem, Severity, quoted
from gpufleet.spec.storage import Lustre, LustreHsm
from gpufleet.spec.training import TrainingFabric

_PORTAL = "azure-managed-lustre create-file-system-portal"


def check_storage(environment: Environment) -> Iterator[Problem]:
    """Capacity, subnet and zone of every fabric's file system."""
    fabrics = [scope for scope in scopes(environment) if scope.path[0] == "training"]
    for fabric, scope in zip(environment.training, fabrics, strict=True):
        wanted = fabric.storage.lustre
        if wanted is None:
            continue
        path = (*scope.path, "storage", "lustre")
        yield from _capacity(fabric, wanted, path, (*scope.path, "workload"))
        yield from _subnet(fabric, wanted, scope)
        yield from _zone(fabric, wanted, path)
        yield from _clients(fabric, path)
        if wanted.hsm is not None:
            yield from _hsm(wanted.hsm, (*path, "hsm"))


def _capacity(fabric: TrainingFabric, wanted: Lustre, path: Path, workload: Path) -> Iterator[Problem]:
    sku, stated = lustre.get(wanted.sku.value), wanted.capacity_tib
    at = (*path, "capacityTiB")
    if stated is None and fabric.workload is None:
        fix = "State capacityTiB, or describe the workload"
        yield Problem(
            path=at, message="is missing, and there is no workload to derive it from", fix=fix, reads=(at, workload)
        )
        return
    if stated is not None:
        if stated < sku.min_tib or stated % sku.step_tib:
            up = max(sku.min_tib, -(-stated // sku.step_tib) * sku.step_tib)
            yield Problem(
                path=at,
                message=f"{sku.name} comes in steps of {sku.step_tib} TiB from {sku.min_tib} TiB, not {stated:g}",
                fix=f"The next is {up:g}",
                source=_PORTAL,
                reads=(at, (*path, "sku")),
            )
        if fabric.workload and stated < fabric.workload.dataset_tib:
            yield Problem(
                path=at,
                message=f"{stated:g} TiB cannot hold the dataset of {fabric.workload.dataset_tib:g} TiB",
                fix="Leave it out to have it derived, or load the dataset in parts",
                severity=Severity.WARNING,
                reads=(at, workload),
            )
    # The derived capacity is at least the dataset.
    at_least, where = (
        (stated, at)
        if stated is not None
        else (fabric.workload.dataset_tib if fabric.workload else 0, (*workload, "datasetTiB"))
    )
    yield from _most(sku, at_least, where, (*path, "sku"))


def _most(sku: lustre.LustreSku, capacity: float, path: Path, sku_path: Path) -> Iterator[Problem]:
    if capacity > sku.max_tib_documented:
        yield Problem(
            path=path,
            message=f"{capacity:g} TiB exceed the {sku.max_tib_documented:,} TiB that {sku.name} has at the most",
            fix="Choose a slower SKU, which grows larger",
            source="Azure/ai-infrastructure-on-azure storage_references",
            reads=(path, sku_path),
        )
    elif capacity > sku.max_tib_default:
        yield Problem(
            path=path,
            message=f"{capacity:g} TiB exceed the {sku.max_tib_default:,} TiB of {sku.name} granted by default",
            fix="Ask Azure support before the first run",
            source=_PORTAL,
            severity=Severity.WARNING,
            reads=(path, sku_path),
        )


def _subnet(fabric: TrainingFabric, wanted: Lustre, scope: Scope) -> Iterator[Problem]:
    if scope.network.subnets is None:
        return  # derived: a quarter of the virtual network, enough for the largest file system
    capacity = wanted.capacity_tib or (fabric.workload.dataset_tib if fabric.workload else 0)
    subnet = IPv4Network(scope_addresses(scope).subnets.lustre)
    needed = lustre.subnet_prefix(capacity)
    if subnet.prefixlen > needed:
        yield Problem(
            path=(*scope.path, "network", "subnets", "lustre"),
            message=f"{subnet} is too small for a file system of {capacity:g} TiB or more, which needs a /{needed}",
            fix="Make it larger: it can't be changed later",
            source="azure-managed-lustre amlfs-prerequisites",
            reads=((*scope.path, "network", "subnets", "lustre"), (*scope.path, "storage"), (*scope.path, "workload")),
        )


def _zone(fabric: TrainingFabric, wanted: Lustre, path: Path) -> Iterator[Problem]:
    # Of the GPU nodes, where there are any: they are the ones that read, whatever stands beside them.
    readers = [pool for pool in fabric.pools if _is_gpu(pool)] or fabric.pools
    zones = {zone for pool in readers for zone in pool.zones}
    choices = {tuple(sorted(pool.zones)) for pool in readers}
    pools = (*path[:2], "pools")
    reads: tuple[Path, ...] = ((*path, "zone"), (*pools, ITEMS))
    reads += tuple((*pools, index, key) for index in range(len(fabric.pools)) for key in ("zones", "sku"))
    if wanted.zone is None and zones and (len(choices) > 1 or len(zones) > 1):
        message = "is missing, and the pools are not all in one zone to derive it from"
        fix = "Name the zone of the GPU nodes: a file system is in one"
        yield Problem(path=(*path, "zone"), message=message, fix=fix, source=_PORTAL, reads=reads)
    elif wanted.zone is not None and zones and wanted.zone not in zones:
        message = f"{wanted.zone} is not a zone of the GPU pools ({', '.join(sorted(zones))})"
        fix = "Put the file system where the GPU nodes are"
        source = "kubernetes-sigs/azurelustre-csi-driver driver-parameters"
        yield Problem(path=(*path, "zone"), message=message, fix=fix, source=source, reads=reads)


def _is_gpu(pool: Pool) -> bool:
    size = sizes.find(pool.sku)
    return size is not None and size.is_gpu


def _clients(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    for index, pool in enumerate(fabric.pools):
        size = sizes.find(pool.sku)
        profile = node_profiles.find(size) if size else None
        if profile is None or lustre.clients(profile.os_sku, profile.cpu_architecture):
            continue
        sku = (*path[:2], "pools", index, "sku")
        yield Problem(
            path=sku,
            message=f"there is no Lustre client for its nodes ({profile.os_sku} on {profile.cpu_architecture})",
            fix="Put these nodes into a fabric without a file system",
            source="kubernetes-sigs/azurelustre-csi-driver install-csi-driver",
            reads=(sku, path),
        )


def _hsm(hsm: LustreHsm, path: Path) -> Iterator[Problem]:
    if hsm.container == hsm.logging_container:
        yield Problem(
            path=(*path, "loggingContainer"),
            message=f"is the data container, {quoted(hsm.container)}",
            fix="Name another one: Lustre writes its logs beside the data, never into it",
            source="azure-managed-lustre amlfs-prerequisites",
            reads=((*path, "container"),),
        )
    prefixes = (*path, "importPrefixes")
    for index, prefix in enumerate(hsm.import_prefixes):
        for other_index, other in enumerate(hsm.import_prefixes):
            longer = len(prefix) > len(other) or (len(prefix) == len(other) and index > other_index)
            if index == other_index or not longer or not prefix.startswith(other):
                continue
            yield Problem(
                path=(*prefixes, index),
                message=f"{quoted(prefix)} starts with {quoted(other)}, and no prefix may be the start of another",
                fix="Keep the shorter one, or write both out to where they differ",
                source="storagecache API specification 2024-03-01",
                reads=(prefixes,),
            )
            break

"""Advice about a training fabric: days, failures, checkpoints, spares and storage."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from ipaddress import IPv4Network

from gpufleet.catalog import checkpoints, limits
from gpufleet.catalog import lustre as catalog_lustre
from gpufleet.sizing import storage, training
from gpufleet.sizing.advice import Advice, Change, Objection
from gpufleet.sizing.defaults import default
from gpufleet.sizing.fabric import Job, job, training_rate
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.storage_figures import storage_figures
from gpufleet.sizing.training_figures import LEAST_USEFUL, run_figures, useful_share
from gpufleet.spec.base import Path
from gpufleet.spec.pool import NodeRange
from gpufleet.spec.training import TrainingFabric


def advise(fabric: TrainingFabric, path: Path, *, within_days: float | None = None) -> Advice:
    """Size one fabric.

    Args:
        fabric: the fabric.
        path: its place in the stack file, such as `("training", 0)`.
        within_days: also find the nodes that finish within so many days.

    Raises:
        SizingError: numbers out of range.
    """
    title = f"training fabric {fabric.name}"
    found = job(fabric)
    if found is None:
        missing = "workload" if fabric.workload is None else "regular GPU nodes"
        objection = Objection(
            rule="workload",
            path=(*path, "workload" if fabric.workload is None else "pools"),
            message=f"has no {missing}, so nothing can be sized",
            fix="Describe the workload" if fabric.workload is None else "Give the fabric a regular GPU pool",
            decided=False,
        )
        return Advice(title=title, objections=(objection,))
    changes = tuple(_changes(fabric, found, path, within_days))
    return Advice(
        title=title,
        figures=(*run_figures(found, fabric), *storage_figures(fabric, found)),
        objections=tuple(_objections(fabric, found, path)),
        changes=changes,
    )


def _objections(fabric: TrainingFabric, found: Job, path: Path) -> Iterator[Objection]:
    workload = (*path, "workload")
    if found.tflops_per_gpu is None:
        yield Objection(
            rule="training-rate",
            path=(*workload, "tflopsPerGpu"),
            message=f"nobody has published a training rate on {found.size.gpu_model}, so days and reads aren't known",
            fix="Measure a few steps and state it",
            decided=False,
        )
    state = found.workload.parameters_b * checkpoints.get("training_memory").bytes_per_parameter
    room = found.gpus * (found.size.gpu_memory_gb or 0.0)
    if state > room:
        yield Objection(
            rule="model-state",
            path=(*workload, "parametersB"),
            message=f"weights, gradients and optimiser take {state:,.0f} GB and all GPUs have {room:,.0f} GB, before "
            "activations",
            fix="Use more nodes or a size with more memory",
            amount=state - room,
        )
    allowed = found.workload.checkpoint.max_loss_percent
    loss = 100 * (1 - useful_share(fabric, found))
    if loss > allowed * (1 + 1e-9):
        yield Objection(
            rule="checkpoint-loss",
            path=(*workload, "checkpoint", "maxLossPercent"),
            message=f"failures and checkpoints cost {loss:.3g} % of the time, {allowed:g} % are allowed",
            fix=_loss_fix(found, fabric),
            amount=loss,
        )
    yield from _storage_objections(fabric, path)


def _loss_fix(found: Job, fabric: TrainingFabric) -> str:
    rate, nics = storage.write_rate(found), found.nodes * found.nic_bytes_per_s
    asynchronously = (
        "write checkpoints asynchronously and state stallSeconds"
        if found.workload.checkpoint.stall_seconds is None
        else "stall less"
    )
    if rate is None:
        floor = -100 * math.expm1(-float(found.restart_s.value) / found.mtbf_s)
        return (
            f"No file system is fast enough, restarts alone cost {floor:.3g} %: restart faster, {asynchronously}, or "
            "allow more"
        )
    if rate > nics:
        return (
            f"It takes {rate / 1e9:,.3g} GB/s and the nodes' front-end networks carry {nics / 1e9:,.3g} GB/s: "
            f"{asynchronously}, or allow more"
        )
    wanted = storage.proposed(fabric)
    if wanted is None:
        return f"No file system is fast enough: {asynchronously}, or allow more"
    return f"Take {wanted.capacity_tib:g} TiB of {wanted.sku}"


def _storage_objections(fabric: TrainingFabric, path: Path) -> Iterator[Objection]:
    wanted, has = storage.needs(fabric), storage.planned_lustre_tib(fabric)
    lustre = fabric.storage.lustre
    if wanted is None or lustre is None or has is None:
        return
    rate = storage.planned_bytes_per_second(fabric)
    if wanted.read_bytes_per_s is not None and rate < wanted.read_bytes_per_s * (1 - 1e-9):
        yield Objection(
            rule="gpus-starved",
            path=(*path, "storage", "lustre", "capacityTiB"),
            message=f"gives {rate / 1e9:.3g} GB/s and the GPUs read {wanted.read_bytes_per_s / 1e9:.3g} GB/s, so they "
            "wait",
            fix="Leave the capacity out to have it derived, or choose a faster SKU",
            amount=(wanted.read_bytes_per_s - rate) / 1e6,
        )
    elif wanted.asynchronous and rate < wanted.bytes_per_second * (1 - 1e-9):
        yield Objection(
            rule="storage-throughput",
            path=(*path, "storage", "lustre", "capacityTiB"),
            message=f"gives {rate / 1e9:.4g} GB/s, and reads with checkpoints beside them take "
            f"{wanted.bytes_per_second / 1e9:.4g} GB/s",
            fix="Leave the capacity out to have it derived, or choose a faster SKU",
            amount=(wanted.bytes_per_second - rate) / 1e6,
        )
    if has < wanted.hold_tib:
        kept = default("storage.checkpoints_kept").value
        yield Objection(
            rule="storage-capacity",
            path=(*path, "storage", "lustre", "capacityTiB"),
            message=f"{has:g} TiB can't hold the dataset and {kept:g} checkpoints, {wanted.hold_tib:.4g} TiB",
            fix="Leave it out to have it derived",
            amount=wanted.hold_tib - has,
        )
    if has > (most := catalog_lustre.get(lustre.sku.value).max_tib_documented):
        yield Objection(
            rule="storage-maximum",
            path=(*path, "storage", "lustre", "sku"),
            message=f"{has:,.0f} TiB are needed and {lustre.sku.value} has {most:,} TiB at the most",
            fix="Choose a slower SKU, which grows larger",
            amount=has - most,
        )
    if (subnets := fabric.network.subnets) is not None:
        prefix, needed = IPv4Network(subnets.lustre).prefixlen, catalog_lustre.subnet_prefix(has)
        if prefix > needed:
            yield Objection(
                rule="storage-subnet",
                path=(*path, "network", "subnets", "lustre"),
                message=f"{subnets.lustre} is too small for {has:g} TiB, which need a /{needed}",
                fix="Make it larger: it can't be changed later",
            )


def _changes(fabric: TrainingFabric, found: Job, path: Path, within_days: float | None) -> Iterator[Change]:
    proposed = storage.proposed(fabric)
    lustre = fabric.storage.lustre
    if proposed is not None and lustre is not None and storage.too_small(fabric):
        where = (*path, "storage", "lustre")
        why = (
            f"{'for speed' if proposed.speed_decides else 'for what it holds'}: {proposed.capacity_tib:g} TiB give "
            f"{proposed.bytes_per_second / 1e9:.3g} GB/s. On Azure this is another file system; the data stays behind"
        )
        if proposed.sku != lustre.sku.value:
            yield Change(path=(*where, "sku"), value=proposed.sku, why=why)
        if lustre.capacity_tib is not None:
            yield Change(path=(*where, "capacityTiB"), value=_plain(proposed.capacity_tib), why=why)
    if within_days is not None:
        yield from _node_change(fabric, found, path, within_days)


def _node_change(fabric: TrainingFabric, found: Job, path: Path, within_days: float) -> Iterator[Change]:
    if found.tflops_per_gpu is None:
        raise SizingError(
            f"training fabric {fabric.name}: no training rate is known for {found.size.gpu_model}",
            hint="State workload.tflopsPerGpu.",
        )
    try:
        nodes = _nodes_within(fabric, found, within_days)
    except SizingError as error:
        raise SizingError(f"training fabric {fabric.name}: {error.message}", hint=error.hint) from None
    share = useful_share(fabric, dataclasses.replace(found, nodes=nodes))
    mine = [index for index, pool in enumerate(fabric.pools) if pool.sku == found.size.name]
    index = mine[0]
    if len(mine) > 1:
        raise SizingError(
            f"training fabric {fabric.name} has several pools of {found.size.name}; {nodes:,} nodes would finish "
            f"within {within_days:g} days",
            hint="Divide them over the pools by hand.",
        )
    spread = fabric.pools[index].nodes
    many = f"{nodes:,} nodes finish" if nodes > 1 else "one node finishes"
    why = f"{many} within {within_days:g} days at a useful share of {share * 100:.1f} %"
    where = (*path, "pools", index, "nodes")
    if isinstance(spread, NodeRange):
        if spread.max != nodes:
            yield Change(path=(*where, "max"), value=nodes, why=why)
        if spread.min > nodes:
            yield Change(path=(*where, "min"), value=nodes, why="no more than the most")
    elif spread != nodes:
        yield Change(path=where, value=nodes, why=why)


def _nodes_within(fabric: TrainingFabric, found: Job, within_days: float) -> int:
    """The fewest nodes that finish in time, at that many nodes' useful share and rate: both fall with scale."""
    nodes, most = 1, limits.value("aks.nodes_per_cluster")
    while True:
        share = useful_share(fabric, dataclasses.replace(found, nodes=nodes))
        rate = training_rate(found.workload.tflops_per_gpu, found.size, nodes * found.size.gpus)
        if rate is None or share < LEAST_USEFUL:
            raise SizingError(
                f"can't finish within {within_days:g} days: failures leave {nodes:,} nodes no time to compute",
                hint="Restart faster, write checkpoints faster, or allow more days.",
            )
        needed = training.nodes_for_days(
            found.workload.parameters_b,
            found.workload.tokens_b,
            within_days,
            gpus_per_node=found.size.gpus,
            tflops_per_gpu=float(rate.value),
            useful=share,
            at_most=most,
        )
        if needed <= nodes:
            return nodes
        nodes = needed


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value

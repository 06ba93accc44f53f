"""The figures behind a training run: length, failures, checkpoints, spares."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import failures as published
from gpufleet.sizing import checkpoint, failures, storage, training
from gpufleet.sizing.defaults import default
from gpufleet.sizing.explanation import Figure, Input
from gpufleet.sizing.fabric import Job
from gpufleet.sizing.numbers import SizingError
from gpufleet.spec.training import TrainingFabric

_KAPLAN = "Kaplan et al., arXiv 2001.08361"
LEAST_USEFUL = 1e-3
"""Share of useful time below which a run doesn't end, and its length means nothing."""


def useful_share(fabric: TrainingFabric, found: Job) -> float:
    """Share of wall time that computes, with the fabric's planned storage (goodput), from 0 to 1."""
    stop, interval, _ = checkpoint_times(fabric, found)
    return checkpoint.availability(interval, stop, found.mtbf_s, float(found.restart_s.value))


def checkpoint_times(fabric: TrainingFabric, found: Job) -> tuple[float, float, float]:
    """Seconds that a checkpoint stops the job, between two of them, and that its write takes, on planned storage."""
    size = storage.checkpoint_bytes(found.workload)
    write = size / checkpoint.write_bytes_per_second(
        storage_bytes_per_s=storage.planned_bytes_per_second(fabric),
        nodes=found.nodes,
        nic_bytes_per_s=found.nic_bytes_per_s,
    )
    stall = found.workload.checkpoint.stall_seconds
    stop = write if stall is None else stall
    interval = checkpoint.availability_optimal_seconds(stop, found.mtbf_s)
    # A checkpoint that is still being written can't be followed by the next.
    return stop, interval if stall is None else max(interval, write), write


def run_figures(found: Job, fabric: TrainingFabric) -> Iterator[Figure]:
    """FLOPs, interruptions, checkpoints, length of the run and spares."""
    workload, rate = found.workload, found.failures_per_node_day
    parameters = Input(name="N", value=workload.parameters_b, unit="B parameters", source="workload.parametersB")
    tokens = Input(name="D", value=workload.tokens_b, unit="B tokens", source="workload.tokensB")
    nodes = Input(name="nodes", value=found.nodes, unit="nodes", source=f"all regular {found.size.name} at their most")
    yield Figure(
        name="training FLOPs",
        value=training.total_flops(workload.parameters_b, workload.tokens_b),
        unit="FLOPs",
        formula="6 · N · D",
        source=_KAPLAN,
        inputs=(parameters, tokens),
    )
    yield Figure(
        name="MTBF of the job",
        value=found.mtbf_s / 3600,
        unit="h",
        formula="24 / (nodes · r)",
        source="arXiv 2410.21680",
        inputs=(nodes, rate),
        note="jobs of about 1,000 GPUs failed 3.7 times as often as this law says",
    )
    band = published.band()
    low, high = (24 / (found.nodes * end.per_node_day) for end in (band.high, band.low))
    yield Figure(
        name="MTBF over the published band",
        value=f"{low:.3g} to {high:.3g}",
        unit="h",
        formula="24 / (nodes · r) at both ends of the band",
        source=f"{band.low.source}, {band.high.source}",
        inputs=(
            Input(name="r low", value=band.low.per_node_day, unit="per node-day", source=band.low.source),
            Input(name="r high", value=band.high.per_node_day, unit="per node-day", source=band.high.source),
        ),
    )
    yield from _checkpoint_figures(found, fabric)
    share = useful_share(fabric, found)
    days = found.compute_days()
    if found.tflops_per_gpu is not None and days is not None and share > LEAST_USEFUL:
        yield Figure(
            name="length of the run",
            value=days / share,
            unit="days",
            formula="6 · N · D / (nodes · GPUs per node · rate · useful share)",
            source=_KAPLAN,
            inputs=(
                nodes,
                Input(name="GPUs per node", value=found.size.gpus, source=found.size.source),
                found.tflops_per_gpu,
                Input(name="useful share", value=share, source="above"),
            ),
        )
    yield _spares(found)


def _checkpoint_figures(found: Job, fabric: TrainingFabric) -> Iterator[Figure]:
    stop, interval, write = checkpoint_times(fabric, found)
    settings = found.workload.checkpoint
    mtbf = Input(name="M", value=found.mtbf_s, unit="s", source="MTBF of the job")
    if settings.stall_seconds is None:
        pause = Input(name="C", value=stop, unit="s", source="the job waits for the whole write")
    else:
        pause = Input(name="C", value=stop, unit="s", source="workload.checkpoint.stallSeconds")
    yield Figure(
        name="checkpoint size",
        value=storage.checkpoint_bytes(found.workload) / 1e12,
        unit="TB",
        formula="N · bytes per parameter",
        source="ZeRO, arXiv 1910.02054",
        inputs=(
            Input(name="N", value=found.workload.parameters_b, unit="B parameters", source="workload.parametersB"),
            Input(
                name="bytes per parameter",
                value=settings.bytes_per_parameter,
                source="workload.checkpoint.bytesPerParameter",
            ),
        ),
    )
    yield Figure(
        name="checkpoint write time",
        value=write,
        unit="s",
        formula="size / min(file system, nodes · NIC)",
        source="azure-managed-lustre create-file-system-portal; sizes pages of azure-compute-docs",
        inputs=(
            Input(
                name="file system",
                value=storage.planned_bytes_per_second(fabric) / 1e9,
                unit="GB/s",
                source="planned capacity · rate of the SKU",
            ),
            found.nic,
        ),
        note="vendor arithmetic: nobody has published a measured parallel write to Managed Lustre at this size",
    )
    for name, value, formula, source in (
        ("Young's interval", checkpoint.young_seconds(stop, found.mtbf_s), "√(2·C·M)", "Young 1974, CACM 17(9)"),
        (
            "Daly's interval",
            checkpoint.daly_seconds(stop, found.mtbf_s),
            "√(2CM)·(1 + ⅓·√(C/2M) + C/(18M)) − C",
            "Daly 2006, FGCS 22(3)",
        ),
    ):
        yield Figure(name=name, value=value / 60, unit="min", formula=formula, source=source, inputs=(pause, mtbf))
    yield Figure(
        name="checkpoint interval",
        value=interval / 60,
        unit="min",
        formula="M·(1 + W₀(−e^(−1−C/M))), at least the write time",
        source="availability as the objective: arXiv 2410.18124; the closed form is derived from Daly's segment time",
        inputs=(pause, mtbf),
    )
    yield Figure(
        name="useful share of time",
        value=100 * useful_share(fabric, found),
        unit="%",
        formula="T / (M·e^(R/M)·(e^((T+C)/M) − 1))",
        source="Daly 2006, FGCS 22(3)",
        inputs=(Input(name="T", value=interval, unit="s", source="checkpoint interval"), pause, mtbf, found.restart_s),
        note="node failures alone: waiting for a replacement node, stragglers and evaluation aren't in it",
    )


def _spares(found: Job) -> Figure:
    repair, confidence = default("training.repair_hours"), default("training.spare_confidence")
    value: float | str
    note = "of the nodes declared the job then uses that many fewer, or the pool needs that many more"
    try:
        rate = float(found.failures_per_node_day.value)
        value = failures.spare_nodes(found.nodes, rate, repair.value, confidence.value)
    except SizingError as error:
        value, note = "no number suffices", error.message
    return Figure(
        name="spare nodes to hold",
        value=value,
        unit="nodes",
        formula="Poisson quantile of nodes · r · t / 24 at p",
        source="M/G/∞ queue, Palm's theorem",
        inputs=(
            Input(name="nodes", value=found.nodes, unit="nodes", source="the job's"),
            found.failures_per_node_day,
            repair.as_input("t"),
            confidence.as_input("p"),
        ),
        note=note,
    )

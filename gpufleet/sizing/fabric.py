"""The training job of a fabric: its nodes, and the rates that its sizing rests on."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.catalog import failures as published
from gpufleet.catalog import sizes, throughput
from gpufleet.sizing import failures, training
from gpufleet.sizing.defaults import default
from gpufleet.sizing.explanation import Input
from gpufleet.spec.base import Priority
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.training import TrainingFabric, Workload

_MBITS = 1e6 / 8


@dataclass(frozen=True, kw_only=True)
class Job:
    """One gang over all regular nodes of the fabric's main GPU size."""

    workload: Workload
    size: sizes.Size
    nodes: int
    tflops_per_gpu: Input | None
    """Model TFLOP/s of one GPU; None when nobody has measured this GPU."""
    failures_per_node_day: Input
    restart_s: Input
    nic: Input
    """Front-end bandwidth of a node in Mb/s."""

    @property
    def gpus(self) -> int:
        """GPUs of all nodes."""
        return self.nodes * self.size.gpus

    @property
    def mtbf_s(self) -> float:
        """Mean time between interruptions in seconds."""
        return failures.mtbf_hours(self.nodes, float(self.failures_per_node_day.value)) * 3600

    @property
    def nic_bytes_per_s(self) -> float:
        """Front-end bandwidth of a node in bytes/s."""
        return float(self.nic.value) * _MBITS

    def compute_days(self) -> float | None:
        """Days of undisturbed computing; None without a rate."""
        if self.tflops_per_gpu is None:
            return None
        return training.days(
            self.workload.parameters_b,
            self.workload.tokens_b,
            nodes=self.nodes,
            gpus_per_node=self.size.gpus,
            tflops_per_gpu=float(self.tflops_per_gpu.value),
        )


def job(fabric: TrainingFabric) -> Job | None:
    """The job of a fabric; None without a workload or without regular GPU nodes of a known size.

    Spot nodes don't count: one eviction stops the whole gang.
    """
    by_size: dict[str, int] = {}
    for pool in fabric.pools:
        size = sizes.find(pool.sku)
        if size is not None and size.is_gpu and pool.priority is Priority.REGULAR:
            most = sum(plan.max_nodes for plan in agent_pools(pool))
            by_size[pool.sku] = by_size.get(pool.sku, 0) + most
    if fabric.workload is None or not by_size:
        return None
    main = max(by_size, key=lambda name: by_size[name] * sizes.get(name).gpus)
    return job_on(fabric.workload, sizes.get(main), by_size[main])


def job_on(workload: Workload, size: sizes.Size, nodes: int) -> Job:
    """The job of a workload on so many nodes of a size."""
    return Job(
        workload=workload,
        size=size,
        nodes=nodes,
        tflops_per_gpu=training_rate(workload.tflops_per_gpu, size, nodes * size.gpus),
        failures_per_node_day=_failures(workload),
        restart_s=_stated(workload.checkpoint.restart_seconds, "R", "s", "workload.checkpoint.restartSeconds")
        or default("training.restart_seconds").as_input("R"),
        nic=_stated(size.network_mbits_per_s, "NIC", "Mb/s", f"{size.name}: {size.source}")
        or default("storage.node_frontend_mbits_s").as_input("NIC"),
    )


def training_rate(stated: float | None, size: sizes.Size, gpus: int) -> Input | None:
    """Model TFLOP/s of one GPU in a job of `gpus`.

    As stated, else of the smallest measured run on this GPU that was at least as large, for rates fall with scale; a
    job larger than all of them gets the slowest rate of the largest. None for a GPU that nobody has measured.
    """
    if stated is not None:
        return _stated(stated, "rate", "TFLOP/s", "workload.tflopsPerGpu")
    runs = [rate for rate in throughput.training_rates() if rate.gpu_model == size.gpu_model]
    if not runs:
        return None
    as_large = [rate.gpus for rate in runs if rate.gpus >= gpus]
    scale = min(as_large) if as_large else max(rate.gpus for rate in runs)
    run = min((rate for rate in runs if rate.gpus == scale), key=lambda rate: rate.model_tflops_per_gpu)
    text = f"{run.run}, {run.source} {run.as_of}"
    return Input(
        name="rate",
        value=run.model_tflops_per_gpu,
        unit="TFLOP/s",
        source=text if as_large else f"{text}: the largest run known, of {scale:,} GPUs; this job has {gpus:,}",
        assumed=not as_large,
    )


def _failures(workload: Workload) -> Input:
    stated = workload.failures_per_thousand_node_days
    if stated is not None:
        text = "workload.failuresPerThousandNodeDays"
        return Input(name="r", value=stated / 1000, unit="per node-day", source=text)
    rate = published.band().default
    text = f"{rate.note} ({rate.source}, {rate.as_of})"
    return Input(name="r", value=rate.per_node_day, unit="per node-day", source=text)


def _stated(value: float | None, name: str, unit: str, source: str) -> Input | None:
    return None if value is None else Input(name=name, value=value, unit=unit, source=source)

"""Measured training, inference and network rates, and the peaks of the GPUs they were measured on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypedDict

from gpufleet.catalog.measured import PROVENANCE, Measured, provenance
from gpufleet.catalog.table import Row, read

_RUN: Final = (
    *("model", "parameters_b", "active_parameters_b", "precision", "layers", "kv_heads", "head_dim", "kv_bytes"),
    *("gpu_model", "tensor_parallel", "input_tokens", "output_tokens", "tokens_per_s"),
)


@dataclass(frozen=True, kw_only=True)
class GpuPeak:
    """What a GPU's datasheet promises, dense (without sparsity)."""

    gpu_model: str
    """As in `Size.gpu_model`."""
    dense_tflops_16bit: float
    """BF16, FP16 where there is no BF16."""
    dense_tflops_8bit: float | None
    """FP8; None for a GPU without it."""
    memory_gbytes_per_s: float
    link_gbytes_per_s: float | None
    """NVLink or xGMI to the other GPUs in both directions together; None for a GPU without."""
    pcie_gbytes_per_s: float
    """PCIe in one direction."""
    source: str
    confidence: str
    note: str


@dataclass(frozen=True, kw_only=True)
class TrainingRate(Measured):
    """One measured training run."""

    key: str
    run: str
    size: str | None
    """VM size; None when it did not run on Azure."""
    gpus: int
    gpu_model: str
    parameters_b: float
    """Size of the model in billions of parameters."""
    precision: str
    model_tflops_per_gpu: float
    """Model FLOPs (6 x parameters x tokens, without recomputation) in TFLOP/s and GPU."""
    status: str

    @property
    def utilization(self) -> float | None:
        """Model-FLOP utilisation: share of the GPU's dense 16-bit peak, from 0 to 1; None without a known peak."""
        found = peak(self.gpu_model)
        return self.model_tflops_per_gpu / found.dense_tflops_16bit if found else None


@dataclass(frozen=True, kw_only=True)
class InferenceRun(Measured):
    """What the inference runs of all tables say about themselves."""

    model: str
    parameters_b: float
    """Size of the model in billions of parameters, all experts counted."""
    active_parameters_b: float
    """Parameters that one token goes through, in billions; fewer than all in a mixture of experts."""
    precision: str
    layers: int
    kv_heads: int
    head_dim: int
    """Of multi-head latent attention half of the one vector that is kept (DeepSeek-V2, arXiv 2405.04434: 512 + 64)."""
    kv_bytes: int
    """Bytes of a number in the KV cache."""
    gpu_model: str
    tensor_parallel: int
    """GPUs that share every layer."""
    input_tokens: float
    """Mean prompt of a sequence."""
    output_tokens: float
    """Mean answer of a sequence."""
    tokens_per_s: float
    """Output tokens a second of all GPUs together."""


@dataclass(frozen=True, kw_only=True)
class CalibrationRun(InferenceRun):
    """A run at full load that the prediction's constants are fitted to."""

    spread_attention: bool
    """Sequences rather than KV heads are divided among the GPUs (attention data parallelism)."""
    requests: int
    """How many there were at once at the most: all of the run's."""


@dataclass(frozen=True, kw_only=True)
class InferenceRate(InferenceRun):
    """One measured inference run."""

    gpus: int
    """GPUs that gave the rate together."""
    size: str | None
    """VM size; None when it did not run on Azure."""
    scenario: str
    """MLPerf's `offline` or `server`, or the load of a measurement."""
    beams: int
    """Answers that are followed at once (beam search)."""
    sequences: int | None
    """How many were answered at once by one replica; None where memory was the limit."""
    load_source: str
    """Who says how long prompts and answers are."""
    benchmark: bool
    """MLPerf: fixed data, a tuned engine, saturated queues, so an upper bound."""

    @property
    def tokens_per_s_per_gpu(self) -> float:
        """Output tokens a second and GPU."""
        return self.tokens_per_s / self.gpus


@dataclass(frozen=True, kw_only=True)
class NcclBandwidth(Measured):
    """Bus bandwidth of NCCL's all-reduce, as nccl-tests prints it."""

    system: str
    size: str
    nodes: int | None
    message_gib: float
    gbytes_per_s: tuple[float, float]
    """Lowest and highest, in GB/s."""
    kind: str
    """baseline, measured, warn_below (look at the node) or return_below (hand it back)."""


@dataclass(frozen=True, kw_only=True)
class TrainingBenchmark:
    """One MLPerf Training result of Azure: minutes to a target, a slice of a training rather than a whole one."""

    benchmark: str
    model: str
    system: str
    size: str
    gpus: int | None
    minutes: tuple[float, float]
    """Fastest and slowest run."""
    as_of: str
    source: str
    note: str


def peak(gpu_model: str) -> GpuPeak | None:
    """Datasheet figures of a GPU by its `Size.gpu_model`; None for an unknown one."""
    return _peaks().get(gpu_model)


@lru_cache(maxsize=1)
def training_rates() -> tuple[TrainingRate, ...]:
    """Every measured training run. None is known for A100, T4, A10 and AMD GPUs."""
    columns = (
        *("key", "run", "sku", "gpus", "gpu_model", "parameters_b", "precision", "model_tflops_per_gpu"),
        "status",
        *PROVENANCE,
    )
    return tuple(
        TrainingRate(
            key=row.text("key"),
            run=row.text("run"),
            size=row.optional_text("sku"),
            gpus=row.integer("gpus"),
            gpu_model=row.text("gpu_model"),
            parameters_b=row.number("parameters_b"),
            precision=row.text("precision"),
            model_tflops_per_gpu=row.number("model_tflops_per_gpu"),
            status=row.choice("status", "read", "unread"),
            **provenance(row),
        )
        for row in read("training_throughput.csv", columns)
    )


@lru_cache(maxsize=1)
def inference_rates() -> tuple[InferenceRate, ...]:
    """Every measured inference run. None is known for A100, T4 and A10."""
    columns = (*_RUN, "gpus", "sku", "scenario", "beams", "sequences", "load_source", "kind", *PROVENANCE)
    return tuple(
        InferenceRate(
            **_run(row),
            gpus=row.integer("gpus"),
            size=row.optional_text("sku"),
            scenario=row.text("scenario"),
            beams=row.integer("beams"),
            sequences=row.optional_integer("sequences"),
            load_source=row.text("load_source"),
            benchmark=row.choice("kind", "benchmark", "measured") == "benchmark",
            **provenance(row),
        )
        for row in read("inference_throughput.csv", columns)
    )


@lru_cache(maxsize=1)
def calibration_runs() -> tuple[CalibrationRun, ...]:
    """Runs at full load with stated lengths, none of them among `inference_rates`."""
    return tuple(
        CalibrationRun(
            **_run(row),
            spread_attention=row.choice("attention", "data-parallel", "tensor-parallel") == "data-parallel",
            requests=row.integer("requests"),
            **provenance(row),
        )
        for row in read("inference_calibration.csv", (*_RUN, "attention", "requests", *PROVENANCE))
    )


@lru_cache(maxsize=1)
def nccl_bandwidths() -> tuple[NcclBandwidth, ...]:
    """All-reduce bandwidths by size: what a healthy node shows, and below which one is looked at or handed back."""
    columns = (
        *("system", "sku", "nodes", "message_gib", "busbw_gbytes_s_min", "busbw_gbytes_s_max", "kind"),
        *PROVENANCE,
    )
    return tuple(
        NcclBandwidth(
            system=row.text("system"),
            size=row.text("sku"),
            nodes=row.optional_integer("nodes"),
            message_gib=row.number("message_gib"),
            gbytes_per_s=(row.number("busbw_gbytes_s_min"), row.number("busbw_gbytes_s_max")),
            kind=row.choice("kind", "baseline", "measured", "warn_below", "return_below"),
            **provenance(row),
        )
        for row in read("nccl_bandwidth.csv", columns)
    )


@lru_cache(maxsize=1)
def training_benchmarks() -> tuple[TrainingBenchmark, ...]:
    """MLPerf Training results that were submitted from Azure."""
    columns = (
        *("benchmark", "model", "system", "sku", "gpus", "minutes_min", "minutes_max"),
        *("as_of", "source", "note"),
    )
    return tuple(
        TrainingBenchmark(
            benchmark=row.text("benchmark"),
            model=row.text("model"),
            system=row.text("system"),
            size=row.text("sku"),
            gpus=row.optional_integer("gpus"),
            minutes=(row.number("minutes_min"), row.number("minutes_max")),
            as_of=row.text("as_of"),
            source=row.text("source"),
            note=row.cells["note"],
        )
        for row in read("training_benchmarks.csv", columns)
    )


class _Run(TypedDict):
    model: str
    parameters_b: float
    active_parameters_b: float
    precision: str
    layers: int
    kv_heads: int
    head_dim: int
    kv_bytes: int
    gpu_model: str
    tensor_parallel: int
    input_tokens: float
    output_tokens: float
    tokens_per_s: float


def _run(row: Row) -> _Run:
    return {
        "model": row.text("model"),
        "parameters_b": row.number("parameters_b"),
        "active_parameters_b": row.number("active_parameters_b"),
        "precision": row.text("precision"),
        "layers": row.integer("layers"),
        "kv_heads": row.integer("kv_heads"),
        "head_dim": row.integer("head_dim"),
        "kv_bytes": row.integer("kv_bytes"),
        "gpu_model": row.text("gpu_model"),
        "tensor_parallel": row.integer("tensor_parallel"),
        "input_tokens": row.number("input_tokens"),
        "output_tokens": row.number("output_tokens"),
        "tokens_per_s": row.number("tokens_per_s"),
    }


@lru_cache(maxsize=1)
def _peaks() -> dict[str, GpuPeak]:
    columns = (
        *("gpu_model", "dense_tflops_16bit", "dense_tflops_8bit", "memory_gbytes_s", "link_gbytes_s", "pcie_gbytes_s"),
        *("source", "confidence", "note"),
    )
    return {
        row.text("gpu_model"): GpuPeak(
            gpu_model=row.text("gpu_model"),
            dense_tflops_16bit=row.number("dense_tflops_16bit"),
            dense_tflops_8bit=row.optional_number("dense_tflops_8bit"),
            memory_gbytes_per_s=row.number("memory_gbytes_s"),
            link_gbytes_per_s=row.optional_number("link_gbytes_s"),
            pcie_gbytes_per_s=row.number("pcie_gbytes_s"),
            source=row.text("source"),
            confidence=row.choice("confidence", "high", "medium", "low"),
            note=row.cells["note"],
        )
        for row in read("gpus.csv", columns)
    }

"""How a model of the stack file is served on a VM size: memory, parallelism, tokens a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gpufleet.catalog import sizes, throughput
from gpufleet.sizing import memory, replicas
from gpufleet.sizing.defaults import Architecture, architecture, default
from gpufleet.sizing.explanation import Figure, Input
from gpufleet.spec.model import Model, Precision, Sparsity

_MEASURED_LOADS = "offline"
"""MLPerf's offline scenario has no limit on latency: no yardstick for people who wait."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A model on a size."""

    model: Model
    size: sizes.Size
    fit: replicas.Fit
    tokens_per_s_per_gpu: float
    rate_source: str
    measured_here: bool
    """Stated in the stack file for this size, rather than published for the GPU."""

    @property
    def tokens_per_s_per_replica(self) -> float:
        """Output tokens a second of one replica."""
        return self.tokens_per_s_per_gpu * self.fit.tensor_parallel

    @property
    def unit_nodes(self) -> int:
        """Nodes of the smallest unit that can be added."""
        return self.fit.nodes

    @property
    def tokens_per_s_per_unit(self) -> float:
        """Output tokens a second of that unit: all replicas of one node, or one replica over several nodes."""
        return self.tokens_per_s_per_replica * self.fit.replicas_per_node


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """Why a model isn't served on a size."""

    reason: str
    decided: bool
    """False when nobody has measured it, so it may well be."""


def shape(model: Model) -> Architecture:
    """The model's architecture as stated, else that of a published model of its size."""
    stated = model.architecture
    if stated is None:
        return architecture(model.parameters_b)
    return Architecture(layers=stated.layers, kv_heads=stated.kv_heads, head_dim=stated.head_dim, source="architecture")


def memory_needs(model: Model) -> tuple[float, float]:
    """Weights and KV cache of one replica in bytes."""
    found = shape(model)
    per_token = memory.kv_bytes_per_token(found.layers, found.kv_heads, found.head_dim, model.kv_precision)
    weights = memory.weights_bytes(model.parameters_b, model.precision, model.sparsity)
    return weights, memory.kv_bytes(per_token, model.context_tokens, concurrency(model))


def serve(model: Model, size: sizes.Size) -> Serving | Unfit:
    """How `model` is served on `size`, or why it isn't."""
    if not size.is_gpu or size.gpu_memory_gb is None:
        return Unfit(reason=f"{size.name} has no GPU memory that a source gives", decided=True)
    weights, cache = memory_needs(model)
    fit = replicas.fit(
        weights_bytes=weights,
        kv_bytes=cache,
        kv_heads=shape(model).kv_heads,
        gpus_per_node=size.gpus,
        budget_per_gpu=budget_bytes(size),
        rdma=size.rdma,
    )
    if fit is None:
        room = size.gpus * budget_bytes(size)
        return Unfit(
            reason=f"{model.name} takes {(weights + cache) / 1e9:,.0f} GB and a node of {size.name} has "
            f"{room / 1e9:,.0f} GB for it" + ("" if size.rdma else ", without InfiniBand to spread it over several"),
            decided=True,
        )
    stated = model.tokens_per_second_per_gpu.get(size.name)
    if stated is not None:
        return Serving(
            model=model,
            size=size,
            fit=fit,
            tokens_per_s_per_gpu=stated,
            rate_source="tokensPerSecondPerGpu",
            measured_here=True,
        )
    best = replicas.tokens_per_second_per_gpu(
        _rates(size.gpu_model),
        active_parameters_b=model.active_parameters_b or model.parameters_b,
        bytes_per_parameter=memory.bytes_per_parameter(model.precision, Sparsity.DENSE),
        over_nodes=fit.nodes > 1,
    )
    if best is None:
        over = " over several nodes" if fit.nodes > 1 else ""
        reason = f"nobody has published how fast {size.gpu_model} serves{over}"
        return Unfit(reason=reason, decided=False)
    rate, source = best
    return Serving(
        model=model,
        size=size,
        fit=fit,
        tokens_per_s_per_gpu=rate,
        rate_source=source.source,
        measured_here=False,
    )


def budget_bytes(size: sizes.Size) -> float:
    """What weights and KV cache may take of one GPU: memory · share − what the runtime keeps, in bytes; at least 0."""
    share, runtime = default("inference.memory_share").value, default("inference.runtime_gb").value
    return max(0.0, ((size.gpu_memory_gb or 0.0) * share - runtime) * 1e9)


def serving_figures(found: Serving) -> Iterator[Figure]:
    """Weights, KV cache, parallelism and rate of a model on a size."""
    model, size, fit = found.model, found.size, found.fit
    weights, cache = memory_needs(model)
    architecture_ = shape(model)
    prefix = f"{model.name} on {size.name}: "
    yield Figure(
        name=f"{prefix}weights",
        value=weights / 1e9,
        unit="GB",
        formula="N · bytes per parameter",
        source="NVIDIA Ampere architecture whitepaper for 2:4 sparsity",
        inputs=(
            Input(name="N", value=model.parameters_b, unit="B parameters", source="parametersB"),
            Input(
                name="bytes per parameter",
                value=memory.bytes_per_parameter(model.precision, model.sparsity),
                source=f"{model.precision.value}, {model.sparsity.value}",
            ),
        ),
    )
    yield Figure(
        name=f"{prefix}KV cache of a replica",
        value=cache / 1e9,
        unit="GB",
        formula="2 · layers · KV heads · head dimension · bytes · context · concurrency",
        source="vLLM, arXiv 2309.06180",
        inputs=(
            Input(
                name="layers · KV heads · head dimension",
                value=architecture_.layers * architecture_.kv_heads * architecture_.head_dim,
                source=architecture_.source,
                assumed=architecture_.assumed,
            ),
            Input(name="context", value=model.context_tokens, unit="tokens", source="contextTokens"),
            Input(name="concurrency", value=model.concurrency, unit="sequences", source="concurrency")
            if model.concurrency
            else default("inference.concurrency").as_input("concurrency"),
        ),
    )
    yield Figure(
        name=f"{prefix}GPUs of a replica",
        value=fit.tensor_parallel,
        unit="GPUs" if fit.nodes == 1 else f"GPUs on {fit.nodes} nodes",
        formula="smallest power of two t with weights / t + KV cache / min(t, KV heads) ≤ memory · share − runtime",
        source="vLLM documentation, parallelism and scaling",
        inputs=(
            Input(name="memory", value=size.gpu_memory_gb or 0.0, unit="GB", source=size.source),
            default("inference.memory_share").as_input("share"),
            default("inference.runtime_gb").as_input("runtime"),
            Input(name="KV heads", value=architecture_.kv_heads, source=architecture_.source),
        ),
    )
    yield Figure(
        name=f"{prefix}output of a replica",
        value=found.tokens_per_s_per_replica,
        unit="tokens/s",
        formula="GPUs · rate",
        source=found.rate_source,
        inputs=(
            Input(name="GPUs", value=fit.tensor_parallel, source="above"),
            Input(name="rate", value=found.tokens_per_s_per_gpu, unit="tokens/s per GPU", source=found.rate_source),
        ),
        note="" if found.measured_here else "measure your own model and state tokensPerSecondPerGpu",
    )


def _rates(gpu_model: str | None) -> list[replicas.Rate]:
    derate = default("inference.derate").value
    found = []
    for row in throughput.inference_rates():
        if row.gpu_model != gpu_model or row.scenario == _MEASURED_LOADS or row.confidence == "low":
            continue
        factor = derate if row.benchmark else 1.0
        found.append(
            replicas.Rate(
                tokens_per_s_per_gpu=row.tokens_per_s_per_gpu * factor,
                active_parameters_b=row.active_parameters_b,
                bytes_per_parameter=memory.bytes_per_parameter(Precision(row.precision), Sparsity.DENSE),
                over_nodes=row.size is not None and row.gpus > sizes.get(row.size).gpus,
                source=f"{row.model} {row.precision} on {row.gpus} {row.gpu_model}, {row.scenario}, {row.source} "
                f"{row.as_of}" + (f", times {derate:g} for its ideal conditions" if row.benchmark else ""),
            )
        )
    return found


def concurrency(model: Model) -> int:
    """Sequences of full context that one replica holds at once, as stated or by default."""
    return model.concurrency or int(default("inference.concurrency").value)

"""How a model of the stack file is served on a VM size: memory, parallelism, tokens a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gpufleet.catalog import sizes, throughput
from gpufleet.plural import plural
from gpufleet.sizing import memory, replicas
from gpufleet.sizing.defaults import Architecture, architecture, default
from gpufleet.sizing.explanation import Figure, Input
from gpufleet.sizing.prediction import Prediction
from gpufleet.sizing.prediction import predict as predicted
from gpufleet.spec.model import LatencyTarget, Model, Precision, Sparsity

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
    predicted: bool = False
    """Nobody has measured it: a share of what the roofline predicts."""
    sequences: int
    """Answered at once by a replica: what its memory holds of full context, or fewer for the latency target."""

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


def lay(model: Model, size: sizes.Size, *, at_least: int = 1) -> replicas.Fit | None:
    """How a replica lies on a size with so many GPUs at the least; None where its memory doesn't hold it."""
    if not size.is_gpu or size.gpu_memory_gb is None:
        return None
    weights, cache = memory_needs(model)
    return replicas.fit(
        weights_bytes=weights,
        kv_bytes=cache,
        kv_heads=shape(model).kv_heads,
        gpus_per_node=size.gpus,
        budget_per_gpu=budget_bytes(size),
        rdma=size.rdma,
        at_least=at_least,
    )


def serve(model: Model, size: sizes.Size, *, predict: bool = False) -> Serving | Unfit:
    """How `model` is served on `size`, or why it isn't.

    Args:
        model: one form of a model (`Model.forms`).
        size: VM size.
        predict: where nobody has measured the GPU, count a share of what the roofline predicts (`Serving.predicted`),
            and serve without a latency target that it doesn't reach. Servers are planned so; what is promised to
            suffice rests on measurements, and on targets that the roofline reaches.
    """
    if not size.is_gpu or size.gpu_memory_gb is None:
        return Unfit(reason=f"{size.name} has no GPU memory that a source gives", decided=True)
    fit = lay(model, size)
    if fit is None:
        return Unfit(reason=_too_large(model, size), decided=True)
    prediction: Prediction | None = None
    if model.latency != LatencyTarget():
        found = _in_time(model, size, fit)
        if not isinstance(found, Unfit):
            fit, prediction = found
        elif not predict:
            return found
    rate = _rate(model, size, fit, predict=predict)
    return rate if isinstance(rate, Unfit) else _serving(model, size, fit, rate, prediction)


@dataclass(frozen=True, kw_only=True)
class _Rate:
    tokens_per_s_per_gpu: float
    source: str
    measured_here: bool = False
    predicted: bool = False


def _rate(model: Model, size: sizes.Size, fit: replicas.Fit, *, predict: bool) -> _Rate | Unfit:
    """What is stated, else what measurements justify, else a share of the prediction where that may count."""
    stated = model.tokens_per_second_per_gpu.get(size.name)
    if stated is not None:
        return _Rate(tokens_per_s_per_gpu=stated, source="tokensPerSecondPerGpu", measured_here=True)
    best = replicas.tokens_per_second_per_gpu(
        _rates(size.gpu_model),
        active_parameters_b=model.active_parameters_b or model.parameters_b,
        bytes_per_parameter=memory.bytes_per_parameter(model.precision, Sparsity.DENSE),
        over_nodes=fit.nodes > 1,
    )
    if best is not None:
        rate, measured = best
        return _Rate(tokens_per_s_per_gpu=rate, source=measured.source)
    if not predict or throughput.peak(size.gpu_model or "") is None:
        over = " over several nodes" if fit.nodes > 1 else ""
        return Unfit(reason=f"nobody has published how fast {size.gpu_model} serves{over}", decided=False)
    whole = predicted(model, shape(model), size, fit, concurrency=concurrency(model), target=LatencyTarget())
    return _Rate(
        tokens_per_s_per_gpu=whole.tokens_per_s * whole.share / fit.tensor_parallel,
        source=f"roofline of {size.gpu_model}, times {whole.share:g} for its error",
        predicted=True,
    )


def _serving(model: Model, size: sizes.Size, fit: replicas.Fit, rate: _Rate, bound: Prediction | None) -> Serving:
    """With fewer sequences at once than memory holds, for the sake of latency, a replica gives less: by the roofline.

    The ratio of two predictions is surer than either, for their errors are much the same.
    """
    tokens, source, most = rate.tokens_per_s_per_gpu, rate.source, concurrency(model)
    if bound is not None and bound.sequences < most:
        whole = predicted(model, shape(model), size, fit, concurrency=most, target=LatencyTarget())
        share = min(1.0, bound.tokens_per_s / whole.tokens_per_s)
        tokens *= share
        source += f", times {share:.2f} for {bound.sequences} sequences at once rather than {most}"
    return Serving(
        model=model,
        size=size,
        fit=fit,
        tokens_per_s_per_gpu=tokens,
        rate_source=source,
        measured_here=rate.measured_here,
        predicted=rate.predicted,
        sequences=most if bound is None else bound.sequences,
    )


def _in_time(model: Model, size: sizes.Size, fit: replicas.Fit) -> tuple[replicas.Fit, Prediction] | Unfit:
    """The fewest GPUs that keep the latency target, from those that memory needs up to a node."""
    if throughput.peak(size.gpu_model or "") is None:
        return Unfit(reason=f"no datasheet tells how long {size.gpu_model} takes for a token", decided=False)
    tried = fit
    while True:
        found = predicted(model, shape(model), size, tried, concurrency=concurrency(model))
        if found.sequences:
            return tried, found
        more = lay(model, size, at_least=tried.tensor_parallel * 2)
        if more is None or more.nodes > fit.nodes:
            break
        tried = more
    return Unfit(
        reason=f"{model.name} on {plural(tried.tensor_parallel, 'GPU')} of {size.name} would take "
        f"{found.step_s * 1000:,.1f} ms a token and {found.first_token_s * 1000:,.0f} ms to the first one, one "
        f"sequence at a time and as predicted, and the target is {_target(model.latency)}",
        decided=False,
    )


def _target(target: LatencyTarget) -> str:
    parts = [
        f"{value:,} ms {what}"
        for value, what in (
            (target.time_per_output_token_ms, "a token"),
            (target.time_to_first_token_ms, "to the first one"),
        )
        if value is not None
    ]
    return " and ".join(parts)


def _too_large(model: Model, size: sizes.Size) -> str:
    weights, cache = memory_needs(model)
    room = (
        f"{size.gpus} · ({size.gpu_memory_gb or 0:g} GB · {default('inference.memory_share').value:g} − "
        f"{default('inference.runtime_gb').value:g} GB of runtime) = {size.gpus * budget_bytes(size) / 1e9:,.1f} GB"
    )
    return (
        f"{model.name} takes {weights / 1e9:,.1f} GB of weights and {cache / 1e9:,.1f} GB of KV cache "
        f"({concurrency(model):,} sequences of {model.context_tokens:,} tokens), and a node of {size.name} has "
        f"{room} for them" + ("" if size.rdma else ", without InfiniBand to spread it over several")
    )


def budget_bytes(size: sizes.Size) -> float:
    """What weights and KV cache may take of one GPU: memory · share − what the runtime keeps, in bytes; at least 0."""
    share, runtime = default("inference.memory_share").value, default("inference.runtime_gb").value
    return max(0.0, ((size.gpu_memory_gb or 0.0) * share - runtime) * 1e9)


def serving_figures(found: Serving, name: str) -> Iterator[Figure]:
    """Weights, KV cache, parallelism and rate of a form of that name on a size."""
    model, size, fit = found.model, found.size, found.fit
    weights, cache = memory_needs(model)
    architecture_ = shape(model)
    prefix = f"{name} on {size.name}: "
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
    target = _target(model.latency)
    yield Figure(
        name=f"{prefix}sequences at once",
        value=found.sequences,
        unit="sequences",
        formula="the most, up to concurrency, that are predicted to keep the target" if target else "concurrency",
        source="roofline model, Williams 2009, CACM 52(4)" if target else "arithmetic",
        inputs=(
            Input(name="concurrency", value=concurrency(model), unit="sequences", source="above"),
            *([Input(name="target", value=target, source="latency")] if target else []),
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

"""What the roofline says about a model of the stack file on a VM size: its rate, and how many it may answer at once."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.catalog import sizes
from gpufleet.sizing import memory, roofline
from gpufleet.sizing.defaults import Architecture, default
from gpufleet.sizing.replicas import Fit
from gpufleet.spec.model import LatencyTarget, Model


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A replica that answers so many sequences at once."""

    sequences: int
    """0 when not even one is answered within the target."""
    tokens_per_s: float
    """Output tokens a second of the replica, before any share of it is taken off."""
    step_s: float
    """Between two tokens of a sequence, as `tokens_per_s`; with one sequence when `sequences` is 0."""
    first_token_s: float
    """Until the first token, without a queue."""
    share: float
    """Of the predicted rate that counts; see `inference.prediction_share`."""


def predict(
    model: Model,
    architecture: Architecture,
    size: sizes.Size,
    fit: Fit,
    *,
    concurrency: int,
    target: LatencyTarget | None = None,
) -> Prediction:
    """A replica's rate with as many sequences at once as its latency target and `concurrency` allow.

    The more sequences, the slower each and the faster all together, so the most that keep the target are found by
    bisection. Times count as they are predicted: the constants were fitted at full load, and with few sequences at once
    servers are faster than they say (Llama 3.1 8B, 128 at once on one H100: 16 ms a token predicted, 12 ms measured).

    Args:
        model: the model.
        architecture: its shape.
        size: VM size.
        fit: how a replica lies on it.
        concurrency: sequences whose cache the replica has room for.
        target: what to keep; the model's own unless given.

    Raises:
        SizingError: the catalogue doesn't know the GPU's peaks.
    """
    decoder, load, gpus = _decoder(model, architecture), _load(model), _gpus(size, fit)
    reached = roofline.efficiency()
    wanted = model.latency if target is None else target
    share = default("inference.prediction_share" if fit.nodes == 1 else "inference.prediction_share_nodes").value

    def times(sequences: int) -> tuple[float, float]:
        return (
            roofline.step_seconds(decoder, gpus, load, sequences, reached),
            roofline.first_token_seconds(decoder, gpus, load, sequences, reached),
        )

    def kept(sequences: int) -> bool:
        return _kept(wanted, *times(sequences))

    low, high = 0, concurrency
    if kept(concurrency):
        low = concurrency
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if kept(middle) else (low, middle)
    step, first = times(max(1, low))
    return Prediction(sequences=low, tokens_per_s=max(1, low) / step, step_s=step, first_token_s=first, share=share)


def _kept(target: LatencyTarget, step: float, first: float) -> bool:
    token_ms, first_ms = target.time_per_output_token_ms, target.time_to_first_token_ms
    return (token_ms is None or step * 1000 <= token_ms) and (first_ms is None or first * 1000 <= first_ms)


def _decoder(model: Model, architecture: Architecture) -> roofline.Decoder:
    return roofline.Decoder(
        parameters=model.parameters_b * 1e9,
        active_parameters=(model.active_parameters_b or model.parameters_b) * 1e9,
        bytes_per_parameter=memory.bytes_per_parameter(model.precision, model.sparsity),
        layers=architecture.layers,
        kv_heads=architecture.kv_heads,
        kv_bytes_per_token=memory.kv_bytes_per_token(
            architecture.layers, architecture.kv_heads, architecture.head_dim, model.kv_precision
        ),
    )


def _load(model: Model) -> roofline.Load:
    # A prompt and its answer share the context.
    most = model.context_tokens / 2
    return roofline.Load(
        input_tokens=min(default("inference.input_tokens").value, most),
        output_tokens=min(default("inference.output_tokens").value, most),
    )


def _gpus(size: sizes.Size, fit: Fit) -> roofline.Gpus:
    return roofline.gpus_of(
        size.gpu_model or "",
        fit.tensor_parallel,
        nodes=fit.nodes,
        link_gbytes_per_s=size.nvlink_gbytes_per_s,
        node_gbits_per_s=size.infiniband_gbits_per_s,
    )

"""The prediction beside published measurements: how far off it is, and what its constants are fitted to."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gpufleet.catalog import sizes, throughput
from gpufleet.sizing import memory, roofline
from gpufleet.sizing.numbers import SizingError
from gpufleet.spec.model import Precision, Sparsity

_MEMORY_SHARE = 0.95
"""Of the memory beside the weights that the runs give to the KV cache (TensorRT-LLM performance overview)."""
_MOST_SEQUENCES = 2048
"""Sequences that TensorRT-LLM takes at once unless told otherwise (`max_batch_size`)."""
_LATENCY_BOUND = "server"
"""MLPerf's scenario whose rate a latency limit decides, not the machine."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One measurement and what is predicted for it."""

    run: throughput.InferenceRate
    sequences: float
    """Answered at once by a replica."""
    predicted: float
    """Output tokens a second of all GPUs."""
    left_out: bool
    """The constant for several nodes came from the other such runs, for this one was left out."""

    @property
    def error(self) -> float:
        """Relative error of the prediction: above 0 it promises too much."""
        return self.predicted / self.run.tokens_per_s - 1


def compared() -> Iterator[Compared]:
    """Every measurement but those that a latency limit decided; no constant is fitted to the run it is compared with.

    Raises:
        SizingError: a run without the peaks of its GPU.
    """
    reached = roofline.efficiency()
    over_nodes = [run for run in _measured() if _nodes(run) > 1]
    for run in _measured():
        others = [one for one in over_nodes if one is not run]
        left_out = run in over_nodes
        constants = (
            dataclasses.replace(reached, node_all_reduce_s=node_all_reduce_seconds(others)) if left_out else reached
        )
        rate, sequences = _predicted(run, constants)
        yield Compared(run=run, sequences=sequences, predicted=rate * run.gpus / run.tensor_parallel, left_out=left_out)


def residual(run: throughput.CalibrationRun, reached: roofline.Efficiency) -> float:
    """ln(predicted / measured) of a run that the constants are fitted to."""
    load = _load(run, spread_attention=run.spread_attention)
    decoder, gpus = _decoder(run), _gpus(run)
    most = _MOST_SEQUENCES * (run.tensor_parallel if run.spread_attention else 1)
    sequences = min(run.requests, most, _fitting(run, decoder, load, gpus))
    return math.log(roofline.tokens_per_second(decoder, gpus, load, sequences, reached) / run.tokens_per_s)


def node_all_reduce_seconds(runs: Sequence[throughput.InferenceRate] | None = None) -> float:
    """What an all-reduce over nodes takes more: the geometric mean of what the runs over nodes leave unexplained.

    Args:
        runs: those to take it from; all of them unless given.

    Raises:
        SizingError: no runs, or one that is faster than predicted without it.
    """
    chosen = [run for run in _measured() if _nodes(run) > 1] if runs is None else runs
    if not chosen:
        raise SizingError("no measurement over several nodes is left to fit to")
    reached = dataclasses.replace(roofline.efficiency(), node_all_reduce_s=0.0)
    left = []
    for run in chosen:
        rate, sequences = _predicted(run, reached)
        left.append((sequences / run.tokens_per_s - sequences / rate) / (2 * run.layers))
    if min(left) <= 0:
        raise SizingError("a measurement over several nodes is faster than its GPUs are without any network")
    return statistics.geometric_mean(left)


def _measured() -> list[throughput.InferenceRate]:
    return [run for run in throughput.inference_rates() if run.scenario != _LATENCY_BOUND]


def _predicted(run: throughput.InferenceRate, reached: roofline.Efficiency) -> tuple[float, float]:
    """Output tokens a second of one replica, and its sequences."""
    decoder, gpus, load = _decoder(run), _gpus(run), _load(run, beams=run.beams)
    sequences = run.sequences or min(_MOST_SEQUENCES, _fitting(run, decoder, load, gpus))
    return roofline.tokens_per_second(decoder, gpus, load, sequences, reached), sequences


def _decoder(run: throughput.InferenceRun) -> roofline.Decoder:
    return roofline.Decoder(
        parameters=run.parameters_b * 1e9,
        active_parameters=run.active_parameters_b * 1e9,
        bytes_per_parameter=memory.bytes_per_parameter(Precision(run.precision), Sparsity.DENSE),
        layers=run.layers,
        kv_heads=run.kv_heads,
        kv_bytes_per_token=2.0 * run.layers * run.kv_heads * run.head_dim * run.kv_bytes,
    )


def _gpus(run: throughput.InferenceRun) -> roofline.Gpus:
    nodes = _nodes(run)
    peak = throughput.peak(run.gpu_model)
    size = sizes.get(run.size) if isinstance(run, throughput.InferenceRate) and run.size else None
    return roofline.gpus_of(
        run.gpu_model,
        run.tensor_parallel,
        nodes=nodes,
        link_gbytes_per_s=peak.link_gbytes_per_s if peak else None,
        node_gbits_per_s=size.infiniband_gbits_per_s if size else 0.0,
    )


def _nodes(run: throughput.InferenceRun) -> int:
    size = sizes.get(run.size) if isinstance(run, throughput.InferenceRate) and run.size else None
    return 1 if size is None else math.ceil(run.tensor_parallel / size.gpus)


def _load(run: throughput.InferenceRun, *, beams: int = 1, spread_attention: bool = False) -> roofline.Load:
    return roofline.Load(
        input_tokens=run.input_tokens, output_tokens=run.output_tokens, beams=beams, spread_attention=spread_attention
    )


def _fitting(
    run: throughput.InferenceRun, decoder: roofline.Decoder, load: roofline.Load, gpus: roofline.Gpus
) -> float:
    return roofline.sequences_in_memory(
        decoder, load, gpus=gpus, gib_per_gpu=_gpu_memory_gb(run.gpu_model), share=_MEMORY_SHARE
    )


def _gpu_memory_gb(gpu_model: str) -> float:
    for name in sizes.names():
        size = sizes.get(name)
        if size.gpu_model == gpu_model and size.gpu_share == size.gpus and size.gpu_memory_gb:
            return size.gpu_memory_gb
    raise SizingError(f"no VM size in the catalogue has a whole {gpu_model}")

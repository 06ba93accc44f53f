"""How fast a server answers, from the peaks of its GPUs: a prediction where nobody has measured.

One step of a server gives every sequence a token and works on the prompts of new ones. It takes as long as

- the layers' products: the slower of reading the weights and computing (a roofline: Williams 2009, CACM 52(4));
- attention: reading every sequence's KV cache, and the prompts' quadratic part;
- two all-reduces a layer where several GPUs share it (Megatron-LM, arXiv 1909.08053);
- and what each layer costs whatever it does (launches, norms, scheduling).

What of the peaks is reached is fitted once, over all models and GPUs (`Efficiency`), to published measurements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gpufleet.catalog import throughput
from gpufleet.sizing.defaults import default
from gpufleet.sizing.numbers import SizingError, at_least_one, positive

_GIB = 2**30
_ACTIVATION_BYTES = 2


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """What of a model its speed depends on."""

    parameters: float
    active_parameters: float
    """Those that one token goes through; fewer than all in a mixture of experts."""
    bytes_per_parameter: float
    layers: int
    kv_heads: int
    kv_bytes_per_token: float
    """KV cache of one token on all layers and heads."""

    @property
    def width(self) -> float:
        """Hidden size, from N ≈ 12 · layers · width² (arXiv 2001.08361, section 2.1); no key of a stack file has it."""
        return math.sqrt(self.active_parameters / (12 * self.layers))

    def read_by(self, tokens: float) -> float:
        """Parameters that a step with so many tokens reads: with a token to each expert it is all of them."""
        share = self.active_parameters / self.parameters
        return self.parameters if share >= 1 else self.parameters * -math.expm1(tokens * math.log1p(-share))


@dataclass(frozen=True, kw_only=True)
class Gpus:
    """The GPUs of one replica."""

    count: int
    nodes: int = 1
    peak_16bit: float
    """FLOP/s, dense."""
    peak_8bit: float | None
    memory_bytes_per_s: float
    link_bytes_per_s: float
    """From one GPU to the others of its node, in one direction."""
    node_bytes_per_s: float = 0.0
    """From one node to the others, in one direction; of replicas over several nodes."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What every sequence asks for."""

    input_tokens: float
    output_tokens: float
    beams: int = 1
    """Answers that are followed at once (beam search)."""
    spread_attention: bool = False
    """Sequences are divided among the GPUs rather than KV heads, so the cache is nowhere repeated."""


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """What is reached of the peaks, the same for all models and GPUs (data/defaults.csv, `roofline.…`)."""

    memory: float
    compute: float
    expert_compute: float
    """Of mixtures of experts: their products are smaller, and some experts have more to do than others."""
    all_reduce_s: float
    node_all_reduce_s: float
    """What an all-reduce over nodes takes more."""
    layer_s: float


def efficiency() -> Efficiency:
    """The fitted constants."""
    return Efficiency(
        memory=default("roofline.memory").value,
        compute=default("roofline.compute").value,
        expert_compute=default("roofline.expert_compute").value,
        all_reduce_s=default("roofline.all_reduce_us").value / 1e6,
        node_all_reduce_s=default("roofline.node_all_reduce_us").value / 1e6,
        layer_s=default("roofline.layer_us").value / 1e6,
    )


def step_seconds(decoder: Decoder, gpus: Gpus, load: Load, sequences: float, reached: Efficiency) -> float:
    """Time of one step with so many sequences at once: what a user waits for the next token.

    In the steady state a step has `beams` tokens of every sequence, and of new prompts as many tokens as are answered:
    sequences · input / output.

    Args:
        decoder: the model.
        gpus: of the replica.
        load: what the sequences ask for.
        sequences: how many are answered at once.
        reached: see `efficiency`.

    Raises:
        SizingError: a number out of range.
    """
    at_once = positive("sequences", sequences)
    prompts = at_once * positive("input tokens", load.input_tokens) / positive("output tokens", load.output_tokens)
    tokens = at_once * load.beams + prompts
    cached = at_once * load.beams * (load.input_tokens + load.output_tokens / 2)
    holders = gpus.count if load.spread_attention else min(gpus.count, decoder.kv_heads)
    reading = gpus.memory_bytes_per_s * reached.memory
    attention = cached * decoder.kv_bytes_per_token / (holders * reading)
    attention += (
        prompts * _prompt_attention(decoder, load.input_tokens) / (gpus.count * gpus.peak_16bit * reached.compute)
    )
    return (
        _products(decoder, gpus, tokens, reached)
        + attention
        + _all_reduces(decoder, gpus, tokens, reached)
        + decoder.layers * reached.layer_s
    )


def tokens_per_second(decoder: Decoder, gpus: Gpus, load: Load, sequences: float, reached: Efficiency) -> float:
    """Output tokens a second of a replica: sequences / step. Raises SizingError for a number out of range."""
    return sequences / step_seconds(decoder, gpus, load, sequences, reached)


def first_token_seconds(decoder: Decoder, gpus: Gpus, load: Load, sequences: float, reached: Efficiency) -> float:
    """Time to the first token of a request that finds no queue: the step under way, then its own prompt.

    Raises:
        SizingError: a number out of range.
    """
    tokens = load.input_tokens
    own = _products(decoder, gpus, tokens, reached) + _all_reduces(decoder, gpus, tokens, reached)
    own += tokens * _prompt_attention(decoder, tokens) / (gpus.count * gpus.peak_16bit * reached.compute)
    return step_seconds(decoder, gpus, load, sequences, reached) + own + decoder.layers * reached.layer_s


def sequences_in_memory(decoder: Decoder, load: Load, *, gpus: Gpus, gib_per_gpu: float, share: float) -> float:
    """Sequences of this load whose KV cache fits beside the weights; a fraction, at least 0.

    (memory − weights / GPUs − runtime) · share · holders / (tokens of a sequence · bytes of a token)

    Args:
        decoder: the model.
        load: what the sequences ask for.
        gpus: of the replica.
        gib_per_gpu: memory of a GPU in GiB: what datasheets call GB.
        share: of the memory that is free beside the weights.

    Raises:
        SizingError: a number out of range.
    """
    runtime = default("inference.runtime_gb").value * 1e9
    free = gib_per_gpu * _GIB - decoder.parameters * decoder.bytes_per_parameter / gpus.count - runtime
    holders = gpus.count if load.spread_attention else min(gpus.count, decoder.kv_heads)
    tokens = positive("tokens of a sequence", load.input_tokens + load.output_tokens * load.beams)
    return max(0.0, free * share * holders / (tokens * positive("KV bytes per token", decoder.kv_bytes_per_token)))


def gpus_of(
    gpu_model: str, count: int, *, nodes: int = 1, link_gbytes_per_s: float | None = None, node_gbits_per_s: float = 0.0
) -> Gpus:
    """The peaks of a GPU from the catalogue.

    Args:
        gpu_model: as in `Size.gpu_model`.
        count: GPUs of the replica, on all nodes.
        nodes: nodes of the replica.
        link_gbytes_per_s: NVLink of the VM size in both directions together; PCIe when it has none.
        node_gbits_per_s: InfiniBand of the VM size.

    Raises:
        SizingError: the catalogue has no peaks of this GPU, or a count below 1.
    """
    peak = throughput.peak(gpu_model)
    if peak is None:
        raise SizingError(f"no datasheet of {gpu_model} is in the catalogue")
    link = link_gbytes_per_s / 2 if link_gbytes_per_s else peak.pcie_gbytes_per_s
    return Gpus(
        count=at_least_one("GPUs", count),
        nodes=at_least_one("nodes", nodes),
        peak_16bit=peak.dense_tflops_16bit * 1e12,
        peak_8bit=None if peak.dense_tflops_8bit is None else peak.dense_tflops_8bit * 1e12,
        memory_bytes_per_s=peak.memory_gbytes_per_s * 1e9,
        link_bytes_per_s=link * 1e9,
        node_bytes_per_s=node_gbits_per_s / 8 * 1e9,
    )


def _products(decoder: Decoder, gpus: Gpus, tokens: float, reached: Efficiency) -> float:
    read = decoder.read_by(tokens) * decoder.bytes_per_parameter
    # Of four bits the weights alone are made: they are computed with in 16 (AWQ, arXiv 2306.00978).
    eight = gpus.peak_8bit is not None and 1 - 1e-9 <= decoder.bytes_per_parameter < 2
    peak = gpus.peak_8bit if eight and gpus.peak_8bit is not None else gpus.peak_16bit
    mixture = decoder.active_parameters < decoder.parameters
    share = reached.expert_compute if mixture else reached.compute
    reading = read / (gpus.count * gpus.memory_bytes_per_s * reached.memory)
    return max(reading, 2 * decoder.active_parameters * tokens / (gpus.count * peak * share))


def _prompt_attention(decoder: Decoder, input_tokens: float) -> float:
    # Scores and values take 4 · width FLOPs a layer for each token before; half of the prompt on average.
    return 4 * decoder.layers * decoder.width * input_tokens / 2


def _all_reduces(decoder: Decoder, gpus: Gpus, tokens: float, reached: Efficiency) -> float:
    if gpus.count == 1:
        return 0.0
    size = tokens * decoder.width * _ACTIVATION_BYTES
    here = max(2, gpus.count // gpus.nodes)
    seconds = reached.all_reduce_s + 2 * (here - 1) / here * size / gpus.link_bytes_per_s
    if gpus.nodes > 1:
        across = positive("bandwidth between nodes", gpus.node_bytes_per_s)
        seconds += reached.node_all_reduce_s + 2 * (gpus.nodes - 1) / gpus.nodes * size / across
    return 2 * decoder.layers * seconds

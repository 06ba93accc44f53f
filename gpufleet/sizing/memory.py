"""How much GPU memory a model takes when it serves: weights and KV cache."""

from __future__ import annotations

from gpufleet.sizing.numbers import at_least_one, positive
from gpufleet.spec.model import KvPrecision, Precision, Sparsity

# int4 has a 16-bit scale and a 4-bit zero point for every 128 weights (group size of AWQ and GPTQ) on top of 4 bits.
_BITS = {
    Precision.FP16: 16.0,
    Precision.BF16: 16.0,
    Precision.FP8: 8.0,
    Precision.INT8: 8.0,
    Precision.INT4: 4 + 20 / 128,
}
_INDEX_BITS = 2.0
_KV_BYTES = {KvPrecision.BITS_16: 2, KvPrecision.FP8: 1}


def bytes_per_parameter(precision: Precision, sparsity: Sparsity) -> float:
    """Bytes of one weight as served.

    2:4 sparsity keeps half of the values and a 2-bit index for each that is kept (NVIDIA Ampere architecture
    whitepaper); zeros without a pattern save nothing.
    """
    bits = _BITS[precision]
    if sparsity is Sparsity.STRUCTURED_2_4:
        bits = (bits + _INDEX_BITS) / 2
    return bits / 8


def weights_bytes(parameters_b: float, precision: Precision, sparsity: Sparsity = Sparsity.DENSE) -> float:
    """Weights in bytes: parameters times bytes per parameter; all experts of a mixture count.

    Args:
        parameters_b: parameters in billions.
        precision: number format of the weights.
        sparsity: pattern of zeros.

    Raises:
        SizingError: a number out of range.
    """
    parameters = positive("parameters (billions)", parameters_b, at_most=1e9) * 1e9
    return parameters * bytes_per_parameter(precision, sparsity)


def kv_bytes_per_token(
    layers: int, kv_heads: int, head_dim: int, precision: KvPrecision = KvPrecision.BITS_16
) -> float:
    """KV cache of one token in bytes: 2 (key and value) · layers · KV heads · head dimension · bytes.

    (vLLM, arXiv 2309.06180.)

    Raises:
        SizingError: a number out of range.
    """
    values = at_least_one("layers", layers) * at_least_one("KV heads", kv_heads)
    return 2.0 * values * at_least_one("head dimension", head_dim) * _KV_BYTES[precision]


def kv_bytes(per_token: float, context_tokens: int, concurrency: int) -> float:
    """KV cache of a replica in bytes when every one of its sequences has its full context.

    Raises:
        SizingError: a number out of range.
    """
    tokens = at_least_one("context tokens", context_tokens) * at_least_one("concurrency", concurrency)
    return positive("KV bytes per token", per_token) * tokens

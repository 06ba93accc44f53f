from __future__ import annotations

import math

import pytest

from gpufleet.sizing import memory
from gpufleet.sizing.defaults import architecture
from gpufleet.sizing.numbers import SizingError
from gpufleet.spec.model import KvPrecision, Precision, Sparsity


@pytest.mark.parametrize(
    ("precision", "sparsity", "gigabytes"),
    [
        (Precision.FP16, Sparsity.DENSE, 140),
        (Precision.BF16, Sparsity.DENSE, 140),
        (Precision.FP8, Sparsity.DENSE, 70),
        (Precision.INT8, Sparsity.DENSE, 70),
        (Precision.INT4, Sparsity.DENSE, 36.3671875),
        # Half of the values and 2 bits each to say where they were: 9/16 and 10/16 of dense.
        (Precision.FP16, Sparsity.STRUCTURED_2_4, 78.75),
        (Precision.FP8, Sparsity.STRUCTURED_2_4, 43.75),
    ],
)
def test_weights_of_70_billion_parameters(precision: Precision, sparsity: Sparsity, gigabytes: float) -> None:
    assert memory.weights_bytes(70, precision, sparsity) / 1e9 == pytest.approx(gigabytes)


def test_kv_cache_of_llama_3_70b() -> None:
    shape = architecture(70)
    assert (shape.layers, shape.kv_heads, shape.head_dim) == (80, 8, 128)
    per_token = memory.kv_bytes_per_token(80, 8, 128)
    assert per_token == 327_680
    assert memory.kv_bytes(per_token, 8192, 32) == 8192 * 32 * 327_680
    assert memory.kv_bytes_per_token(80, 8, 128, KvPrecision.FP8) == per_token / 2


def test_an_unknown_shape_is_that_of_the_next_larger_model() -> None:
    per_token = []
    for size in (0.1, 0.5, 1, 3, 7, 8, 13, 30, 70, 100, 405, 1800):
        shape = architecture(size)
        assert shape.assumed
        per_token.append(memory.kv_bytes_per_token(shape.layers, shape.kv_heads, shape.head_dim))
    assert per_token == sorted(per_token)
    assert "this model is larger" in architecture(1800).source


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0, -1, 1e300])
def test_numbers_that_mean_nothing_are_refused(bad: float) -> None:
    with pytest.raises(SizingError):
        memory.weights_bytes(bad, Precision.FP8)
    with pytest.raises(SizingError):
        memory.kv_bytes_per_token(1, bad, 1)  # type: ignore[arg-type]
    with pytest.raises(SizingError):
        memory.kv_bytes(bad, 1, 1)

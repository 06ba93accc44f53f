from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.catalog import sizes
from gpufleet.sizing import training
from gpufleet.sizing.fabric import training_rate
from gpufleet.sizing.numbers import SizingError

_POSITIVE = st.floats(min_value=0.01, max_value=1e5)


def test_llama_3_405b() -> None:
    # arXiv 2407.21783: 3.8e25 FLOPs.
    assert training.total_flops(405, 15_600) == pytest.approx(3.7908e25)
    assert training.days(405, 15_600, nodes=2048, gpus_per_node=8, tflops_per_gpu=400) == pytest.approx(66.95, abs=0.01)


def test_days_by_hand() -> None:
    # 6 · 1e9 · 86.4e6 FLOPs at 6 TFLOP/s is one day of one GPU.
    assert training.days(1, 0.0864, nodes=1, gpus_per_node=1, tflops_per_gpu=6) == pytest.approx(1.0)
    assert training.days(1, 0.0864, nodes=2, gpus_per_node=1, tflops_per_gpu=6, useful=0.5) == pytest.approx(1.0)


@settings(deadline=None)
@given(_POSITIVE, _POSITIVE, st.floats(min_value=1, max_value=1000), st.floats(min_value=0.1, max_value=1))
def test_the_nodes_finish_in_time_and_one_less_does_not(
    parameters: float, tokens: float, within: float, useful: float
) -> None:
    nodes = training.nodes_for_days(
        parameters, tokens, within, gpus_per_node=8, tflops_per_gpu=400, useful=useful, at_most=10**12
    )

    def days(count: int) -> float:
        return training.days(parameters, tokens, nodes=count, gpus_per_node=8, tflops_per_gpu=400, useful=useful)

    assert days(nodes) <= within * (1 + 1e-9) if nodes < 1e9 else True
    if 1 < nodes < 1e9:
        assert days(nodes - 1) > within * (1 - 1e-9)


def test_more_nodes_than_are_allowed_is_an_error() -> None:
    with pytest.raises(SizingError, match="at most 5,000 are allowed"):
        training.nodes_for_days(1800, 30_000, 60, gpus_per_node=8, tflops_per_gpu=380, at_most=5000)


def test_reads_cover_the_dataset_in_the_time() -> None:
    assert training.read_bytes_per_second(86_400e9, 1, 1, 1) == pytest.approx(1e9)
    assert training.read_bytes_per_second(86_400e9, 3, 1, 2) == pytest.approx(6e9)
    with pytest.raises(SizingError, match=r"burst is 0\.5"):
        training.read_bytes_per_second(1, 1, 1, 0.5)


def test_rates_fall_with_scale() -> None:
    h100 = sizes.get("Standard_ND96isr_H100_v5")
    found = [training_rate(None, h100, gpus) for gpus in (8, 16, 17, 8192, 8193, 100_000)]
    assert [rate.value for rate in found if rate] == [541.8, 541.8, 430, 430, 380, 380]
    assert [rate.assumed for rate in found if rate] == [False, False, False, False, False, True]


def test_a_stated_rate_wins_and_an_unmeasured_gpu_has_none() -> None:
    a100 = sizes.get("Standard_ND96amsr_A100_v4")
    assert training_rate(None, a100, 8) is None
    stated = training_rate(120.0, a100, 8)
    assert stated is not None
    assert (stated.value, stated.source) == (120.0, "workload.tflopsPerGpu")


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0, -1, 1e300])
def test_numbers_that_mean_nothing_are_refused(bad: float) -> None:
    with pytest.raises(SizingError):
        training.total_flops(bad, 1)
    with pytest.raises(SizingError):
        training.total_flops(1, bad)
    with pytest.raises(SizingError):
        training.days(1, 1, nodes=1, gpus_per_node=8, tflops_per_gpu=bad)
    with pytest.raises(SizingError):
        training.days(1, 1, nodes=1, gpus_per_node=8, tflops_per_gpu=1, useful=bad if bad != 1 else 2)
    with pytest.raises(SizingError):
        training.nodes_for_days(1, 1, bad, gpus_per_node=8, tflops_per_gpu=1)

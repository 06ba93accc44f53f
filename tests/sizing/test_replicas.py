from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.sizing import replicas
from gpufleet.sizing.numbers import SizingError

_GB = 1e9


def _fit(weights: float, cache: float, *, heads: int = 8, gpus: int = 8, rdma: bool = True) -> replicas.Fit | None:
    return replicas.fit(
        weights_bytes=weights * _GB,
        kv_bytes=cache * _GB,
        kv_heads=heads,
        gpus_per_node=gpus,
        budget_per_gpu=70 * _GB,
        rdma=rdma,
    )


@pytest.mark.parametrize(
    ("weights", "cache", "rdma", "expected"),
    [
        (16, 10, True, (1, 1, 8)),
        (70, 10, True, (2, 1, 4)),
        (140, 10, True, (4, 1, 2)),
        (405, 100, True, (8, 1, 1)),
        (810, 100, True, (16, 2, 1)),
        (810, 100, False, None),
        # 8 KV heads: on 16 GPUs each still holds an eighth of the cache, so more GPUs don't help.
        (70, 600, True, None),
    ],
)
def test_tensor_parallelism(weights: float, cache: float, expected: tuple[int, int, int] | None, *, rdma: bool) -> None:
    found = _fit(weights, cache, rdma=rdma)
    assert (found and (found.tensor_parallel, found.nodes, found.replicas_per_node)) == expected


def test_an_odd_node_uses_a_power_of_two() -> None:
    found = _fit(100, 1, gpus=3, rdma=False)
    assert found is not None
    assert (found.tensor_parallel, found.replicas_per_node) == (2, 1)
    assert _fit(200, 1, gpus=3, rdma=False) is None


@settings(deadline=None)
@given(st.floats(0.1, 5000), st.floats(0.1, 5000), st.floats(0, 500), st.floats(0, 500))
def test_more_memory_never_takes_fewer_gpus(one: float, two: float, little: float, much: float) -> None:
    small = _fit(min(one, two), min(little, much))
    large = _fit(max(one, two), max(little, much))
    if large is not None:
        assert small is not None
        assert small.tensor_parallel <= large.tensor_parallel
        assert large.bytes_per_gpu <= large.budget_per_gpu
        assert large.tensor_parallel & (large.tensor_parallel - 1) == 0


def _rate(tokens: float, parameters: float, size: float = 1.0, *, over: bool = False) -> replicas.Rate:
    return replicas.Rate(
        tokens_per_s_per_gpu=tokens,
        active_parameters_b=parameters,
        bytes_per_parameter=size,
        over_nodes=over,
        source=f"{parameters}",
    )


_RATES = (_rate(9863, 8), _rate(1890, 70), _rate(30, 37, over=True))


@pytest.mark.parametrize(
    ("parameters", "size", "over", "expected"),
    [
        (8, 1, False, 9863),
        (1, 1, False, 9863),  # no credit for being smaller
        (8, 0.5, False, 9863),  # nor for fewer bytes
        (8, 2, False, 9863 / 2),
        (16, 1, False, 9863 / 2),
        (70, 1, False, 1890),  # rather than 9863 · 8/70 = 1127
        (140, 2, False, 1890 / 4),
        (37, 1, True, 30),
        (74, 1, True, 15),
    ],
)
def test_rates_are_scaled_down_alone(parameters: float, size: float, expected: float, *, over: bool) -> None:
    found = replicas.tokens_per_second_per_gpu(
        _RATES, active_parameters_b=parameters, bytes_per_parameter=size, over_nodes=over
    )
    assert found is not None
    assert found[0] == pytest.approx(expected)


def test_without_a_measurement_there_is_no_rate() -> None:
    assert (
        replicas.tokens_per_second_per_gpu(_RATES[:2], active_parameters_b=8, bytes_per_parameter=1, over_nodes=True)
        is None
    )


@settings(deadline=None)
@given(st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.floats(0.1, 4), st.floats(0.1, 4))
def test_a_larger_model_is_never_faster(one: float, two: float, thin: float, thick: float) -> None:
    def rate(parameters: float, size: float) -> float:
        found = replicas.tokens_per_second_per_gpu(
            _RATES, active_parameters_b=parameters, bytes_per_parameter=size, over_nodes=False
        )
        assert found is not None
        return found[0]

    assert rate(max(one, two), max(thin, thick)) <= rate(min(one, two), min(thin, thick))


@settings(deadline=None)
@given(st.floats(0.01, 1e8), st.floats(0.01, 1e8), st.floats(1, 1e5), st.integers(2, 20), st.integers(2, 20))
def test_more_demand_never_fewer_replicas(one: float, two: float, rate: float, few: int, many: int) -> None:
    less, more = sorted((one, two))
    assert replicas.replicas(less, rate) <= replicas.replicas(more, rate)
    assert replicas.replicas(more, rate) * rate >= more * (1 - 1e-9)
    low, high = sorted((few, many))
    assert replicas.replicas_per_region(more, rate, high) <= replicas.replicas_per_region(more, rate, low)
    assert replicas.replicas_per_region(more, rate, low) * (low - 1) >= replicas.replicas(more, rate)


def test_one_region_can_not_be_lost() -> None:
    with pytest.raises(SizingError, match="with one region nothing is left"):
        replicas.replicas_per_region(100, 10, 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0, -1, 1e300])
def test_numbers_that_mean_nothing_are_refused(bad: float) -> None:
    with pytest.raises(SizingError):
        replicas.replicas(bad, 1)
    with pytest.raises(SizingError):
        replicas.replicas(1, bad)
    with pytest.raises(SizingError):
        _fit(bad / _GB * 10, 1)
    with pytest.raises(SizingError):
        replicas.tokens_per_second_per_gpu(_RATES, active_parameters_b=bad, bytes_per_parameter=1, over_nodes=False)

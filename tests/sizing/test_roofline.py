from __future__ import annotations

import dataclasses
import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.catalog import throughput
from gpufleet.sizing import calibration, roofline
from gpufleet.sizing.numbers import SizingError
from tests.sizing.fit_roofline import fitted

H100 = "NVIDIA H100 SXM5 80GB"
REACHED = roofline.efficiency()
DENSE = roofline.Decoder(
    parameters=8e9, active_parameters=8e9, bytes_per_parameter=1, layers=32, kv_heads=8, kv_bytes_per_token=131_072
)
LOAD = roofline.Load(input_tokens=1024, output_tokens=1024)
_SIZES = st.floats(0.1, 2000)


def _decoder(parameters_b: float, size: float = 1.0, active: float = 1.0) -> roofline.Decoder:
    return dataclasses.replace(
        DENSE,
        parameters=parameters_b * 1e9,
        active_parameters=parameters_b * 1e9 * active,
        bytes_per_parameter=size,
    )


def _gpus(count: int = 1, *, bandwidth: float = 3.35e12) -> roofline.Gpus:
    found = roofline.gpus_of(H100, count, link_gbytes_per_s=900)
    return dataclasses.replace(found, memory_bytes_per_s=bandwidth)


def _step(decoder: roofline.Decoder, gpus: roofline.Gpus, sequences: float = 32) -> float:
    return roofline.step_seconds(decoder, gpus, LOAD, sequences, REACHED)


def test_a_step_by_hand() -> None:
    reached = roofline.Efficiency(
        memory=0.5, compute=0.5, expert_compute=0.5, all_reduce_s=1e-5, node_all_reduce_s=0, layer_s=1e-4
    )
    gpus = roofline.Gpus(count=2, peak_16bit=1e15, peak_8bit=2e15, memory_bytes_per_s=4e12, link_bytes_per_s=4e11)
    load = roofline.Load(input_tokens=1000, output_tokens=500)
    # 10 sequences: 10 answers and 20 tokens of prompts a step.
    width = math.sqrt(8e9 / (12 * 32))
    products = max(8e9 / (2 * 4e12 * 0.5), 2 * 8e9 * 30 / (2 * 2e15 * 0.5))
    attention = 10 * 1250 * 131_072 / (2 * 4e12 * 0.5) + 20 * 4 * 32 * width * 500 / (2 * 1e15 * 0.5)
    network = 2 * 32 * (1e-5 + 2 * 1 / 2 * 30 * width * 2 / 4e11)
    assert roofline.step_seconds(DENSE, gpus, load, 10, reached) == pytest.approx(
        products + attention + network + 32 * 1e-4
    )
    assert roofline.tokens_per_second(DENSE, gpus, load, 10, reached) == pytest.approx(
        10 / (products + attention + network + 32 * 1e-4)
    )


def test_a_first_token_waits_for_the_step_under_way_and_its_own_prompt() -> None:
    step = _step(DENSE, _gpus(), 64)
    first = roofline.first_token_seconds(DENSE, _gpus(), LOAD, 64, REACHED)
    # 1,024 tokens of 16 GFLOP at 0.598 of 1,979 TFLOP/s, and 135 µs on each of 32 layers.
    width = math.sqrt(8e9 / (12 * 32))
    own = 1024 * 16e9 / (0.598 * 1978.9e12) + 1024 * 4 * 32 * width * 512 / (0.598 * 989.4e12) + 32 * 135e-6
    assert first - step == pytest.approx(own)


def test_a_mixture_reads_the_experts_that_its_tokens_reach() -> None:
    mixture = _decoder(100, active=0.1)
    assert mixture.read_by(1) == pytest.approx(10e9)
    assert mixture.read_by(2) == pytest.approx(19e9)
    assert mixture.read_by(1000) == pytest.approx(100e9)
    assert DENSE.read_by(0.5) == 8e9


def test_four_bits_are_computed_with_in_sixteen() -> None:
    busy = 100_000
    four, eight, sixteen = (_step(_decoder(70, size), _gpus(), busy) for size in (0.53, 1.0, 2.0))
    assert eight < four == sixteen
    assert _step(_decoder(70), dataclasses.replace(_gpus(), peak_8bit=None), busy) == (sixteen)


def test_without_a_link_several_nodes_are_no_replica() -> None:
    with pytest.raises(SizingError, match="bandwidth between nodes is 0"):
        _step(DENSE, roofline.gpus_of(H100, 16, nodes=2))
    with pytest.raises(SizingError, match="no datasheet of NVIDIA V100"):
        roofline.gpus_of("NVIDIA V100", 1)


def test_the_constants_are_those_of_the_fit() -> None:
    found = fitted()
    for field in ("memory", "compute", "expert_compute", "all_reduce_s", "layer_s"):
        assert getattr(found, field) == pytest.approx(getattr(REACHED, field), rel=5e-3), field
    assert calibration.node_all_reduce_seconds() == pytest.approx(REACHED.node_all_reduce_s, rel=5e-3)


def test_how_well_the_constants_fit() -> None:
    runs = throughput.calibration_runs()
    errors = [abs(math.expm1(calibration.residual(run, REACHED))) for run in runs]
    assert len(runs) == 95
    assert round(100 * statistics.median(errors)) == 7
    assert round(100 * max(errors)) == 60


def test_no_run_is_compared_that_the_constants_were_fitted_to() -> None:
    fitted_to = {(run.model, run.gpu_model, run.tokens_per_s) for run in throughput.calibration_runs()}
    shown = {(run.model, run.gpu_model, run.tokens_per_s) for run in throughput.inference_rates()}
    assert fitted_to & shown == set()


@settings(deadline=None, max_examples=60)
@given(_SIZES, _SIZES, st.floats(0.3, 4), st.floats(0.3, 4), st.sampled_from([1, 2, 8]))
def test_more_parameters_or_bytes_are_never_faster(
    one: float, two: float, thin: float, thick: float, count: int
) -> None:
    small = _step(_decoder(min(one, two), min(thin, thick)), _gpus(count))
    assert _step(_decoder(max(one, two), min(thin, thick)), _gpus(count)) >= small * (1 - 1e-9)
    # 4 bits lose the 8-bit peak, so fewer bytes are promised to be faster where the peak is one.
    same = dataclasses.replace(_gpus(count), peak_8bit=None)
    assert _step(_decoder(one, max(thin, thick)), same) >= _step(_decoder(one, min(thin, thick)), same) * (1 - 1e-9)


@settings(deadline=None, max_examples=60)
@given(_SIZES, st.floats(1e11, 1e13), st.floats(1e11, 1e13), st.floats(1, 4096), st.floats(1, 4096))
def test_bandwidth_and_concurrency(size: float, one: float, two: float, few: float, many: float) -> None:
    slow, fast = sorted((one, two))
    at = _step(_decoder(size), _gpus(bandwidth=fast))
    assert at <= _step(_decoder(size), _gpus(bandwidth=slow)) * (1 + 1e-9)
    less, more = sorted((few, many))
    # More at once: each waits longer, and all together get at least as much.
    assert _step(_decoder(size), _gpus(), less) <= _step(_decoder(size), _gpus(), more) * (1 + 1e-9)
    rates = [roofline.tokens_per_second(_decoder(size), _gpus(), LOAD, at_once, REACHED) for at_once in (less, more)]
    assert rates[0] <= rates[1] * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(_SIZES, st.floats(0.01, 1), st.floats(1, 1000))
def test_fewer_active_parameters_read_no_more(size: float, active: float, tokens: float) -> None:
    mixture = _decoder(size, active=active)
    assert mixture.active_parameters * (1 - 1e-9) <= mixture.read_by(tokens) or tokens < 1
    assert mixture.read_by(tokens) <= mixture.parameters * (1 + 1e-9)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_numbers_that_mean_nothing(bad: float) -> None:
    with pytest.raises(SizingError):
        _step(DENSE, _gpus(), bad)
    with pytest.raises(SizingError):
        roofline.step_seconds(DENSE, _gpus(), dataclasses.replace(LOAD, output_tokens=bad), 1, REACHED)

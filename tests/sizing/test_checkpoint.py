from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.sizing import checkpoint, failures
from gpufleet.sizing.numbers import SizingError

_RATE = 419 / 54 / 2048
_SECONDS = st.floats(min_value=0.01, max_value=1e5)
_MTBF = st.floats(min_value=60, max_value=1e9)


@pytest.mark.parametrize(
    ("nodes", "mtbf_h", "young", "waste"),
    [
        (16, 396, (218, 487), (0.9, 2.1)),
        (32, 198, (154, 345), (1.3, 2.9)),
        (64, 99, (109, 244), (1.8, 4.1)),
        (100, 63, (87, 195), (2.3, 5.1)),
        (256, 24.7, (54, 122), (3.7, 8.2)),
        (2048, 3.1, (19, 43), (10.4, 23)),
    ],
)
def test_youngs_intervals_at_the_failure_rate_of_llama_3(
    nodes: int, mtbf_h: float, young: tuple[int, int], waste: tuple[float, float]
) -> None:
    mtbf = failures.mtbf_hours(nodes, _RATE)
    assert mtbf == pytest.approx(mtbf_h, abs=0.5)
    assert round(checkpoint.young_seconds(60, mtbf * 3600) / 60) == young[0]
    assert round(checkpoint.young_seconds(300, mtbf * 3600) / 60) == young[1]
    assert round(100 * checkpoint.young_waste(60, mtbf * 3600), 1) == waste[0]
    assert 100 * checkpoint.young_waste(300, mtbf * 3600) == pytest.approx(waste[1], abs=0.25)


def test_daly_by_hand() -> None:
    # C = 300, M = 3000: √(2CM) = 1341.641, √(C/2M) = 0.2236068, C/18M = 0.005556.
    assert checkpoint.daly_seconds(300, 3000) == pytest.approx(
        1341.6407865 * (1 + 0.2236067977 / 3 + 0.05 / 9) - 300, rel=1e-9
    )
    assert checkpoint.daly_seconds(6000, 3000) == 3000


@settings(deadline=None)
@given(_SECONDS, _MTBF)
def test_the_optimum_solves_its_equation(write: float, mtbf: float) -> None:
    x = checkpoint.availability_optimal_seconds(write, mtbf) / mtbf
    assert 0 < x <= 1
    # (1 − x)·e^x = e^(−C/M), in the form −x − ln(1 − x) = C/M, whose left side is x²/2 + x³/3 + … for a small x.
    left = x * x / 2 + x**3 / 3 + x**4 / 4 if x < 1e-3 else -x - math.log1p(-x) if x < 1 else math.inf
    assert left == pytest.approx(write / mtbf, rel=1e-4) or x > 1 - 1e-9


@settings(deadline=None)
@given(_SECONDS, _MTBF, st.floats(min_value=0.02, max_value=50))
def test_no_other_interval_is_better(write: float, mtbf: float, factor: float) -> None:
    best = checkpoint.availability_optimal_seconds(write, mtbf)
    other = checkpoint.availability(best * factor, write, mtbf)
    assert checkpoint.availability(best, write, mtbf) >= other * (1 - 1e-9)


@settings(deadline=None)
@given(_SECONDS, _SECONDS, _MTBF)
def test_a_longer_checkpoint_means_a_longer_interval_and_more_loss(one: float, two: float, mtbf: float) -> None:
    short, long = sorted((one, two))
    assert checkpoint.young_seconds(short, mtbf) <= checkpoint.young_seconds(long, mtbf)
    assert checkpoint.availability_optimal_seconds(short, mtbf) <= checkpoint.availability_optimal_seconds(
        long, mtbf
    ) * (1 + 1e-9)
    assert checkpoint.least_loss(short, mtbf) <= checkpoint.least_loss(long, mtbf) + 1e-9


@settings(deadline=None)
@given(_SECONDS, _MTBF, _MTBF, st.floats(min_value=0, max_value=1e4))
def test_rarer_failures_mean_a_longer_interval_and_less_loss(
    write: float, one: float, two: float, restart: float
) -> None:
    often, rarely = sorted((one, two))
    assert checkpoint.young_seconds(write, often) <= checkpoint.young_seconds(write, rarely)
    assert checkpoint.least_loss(write, rarely, restart) <= checkpoint.least_loss(write, often, restart) + 1e-9


@settings(deadline=None)
@given(st.floats(min_value=0.001, max_value=100), st.floats(min_value=1e5, max_value=1e9))
def test_for_short_checkpoints_all_three_agree(write: float, mtbf: float) -> None:
    young = checkpoint.young_seconds(write, mtbf)
    assert checkpoint.daly_seconds(write, mtbf) == pytest.approx(young, rel=0.03)
    assert checkpoint.availability_optimal_seconds(write, mtbf) == pytest.approx(young, rel=0.03)


@settings(deadline=None)
@given(st.floats(min_value=0.001, max_value=0.9), _MTBF, st.floats(min_value=0, max_value=1e4))
def test_the_longest_write_uses_the_allowed_loss_up(loss: float, mtbf: float, restart: float) -> None:
    longest = checkpoint.longest_write_seconds(loss, mtbf, restart)
    if longest is None:
        # The loss tends to 1 − e^(−R/M) as the checkpoint gets shorter.
        assert -math.expm1(-restart / mtbf) >= loss * (1 - 1e-9)
    else:
        assert checkpoint.least_loss(longest, mtbf, restart) <= loss * (1 + 1e-9)
        assert checkpoint.least_loss(longest * 1.001, mtbf, restart) > loss * (1 - 1e-6)


@settings(deadline=None)
@given(st.floats(min_value=0.01, max_value=0.9), st.floats(min_value=0.1, max_value=100), _MTBF)
def test_the_longest_interval_uses_the_allowed_loss_up(loss: float, stall: float, mtbf: float) -> None:
    longest = checkpoint.longest_interval_seconds(loss, stall, mtbf, 60)
    if longest is None:
        assert checkpoint.least_loss(stall, mtbf, 60) > loss
    else:
        assert 1 - checkpoint.availability(longest, stall, mtbf, 60) <= loss * (1 + 1e-9)
        assert 1 - checkpoint.availability(longest * 1.001, stall, mtbf, 60) > loss


def test_restarts_alone_can_cost_more_than_is_allowed() -> None:
    assert checkpoint.longest_write_seconds(0.05, 3600, 300) is None
    assert checkpoint.longest_interval_seconds(0.05, 1, 3600, 300) is None


def test_the_write_rate_is_the_narrower_of_file_system_and_nics() -> None:
    assert checkpoint.write_bytes_per_second(storage_bytes_per_s=12e9, nodes=64, nic_bytes_per_s=10e9) == 12e9
    assert checkpoint.write_bytes_per_second(storage_bytes_per_s=12e9, nodes=1, nic_bytes_per_s=10e9) == 10e9


def test_hopeless_jobs_have_no_useful_time() -> None:
    assert checkpoint.availability(1e6, 60, 60) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e40])
def test_numbers_that_mean_nothing_are_refused(bad: float) -> None:
    calls: tuple[Callable[[], float | None], ...] = (
        lambda: checkpoint.size_bytes(bad),
        lambda: checkpoint.young_seconds(bad, 1),
        lambda: checkpoint.young_seconds(1, bad),
        lambda: checkpoint.young_waste(1, bad),
        lambda: checkpoint.daly_seconds(bad, 1),
        lambda: checkpoint.availability(bad, 1, 1),
        lambda: checkpoint.availability_optimal_seconds(1, bad),
        lambda: checkpoint.longest_write_seconds(bad, 1, 1),
        lambda: checkpoint.longest_interval_seconds(0.5, bad, 1, 1),
        lambda: checkpoint.write_bytes_per_second(storage_bytes_per_s=bad, nodes=1, nic_bytes_per_s=1),
    )
    for call in calls:
        with pytest.raises(SizingError, match="must be"):
            call()

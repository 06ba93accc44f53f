from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.catalog import failures as published
from gpufleet.sizing import failures
from gpufleet.sizing.numbers import SizingError


def test_llama_3_lies_within_the_published_band() -> None:
    band = published.band()
    low, default, high = (
        failures.expected_failures(2048, end.per_node_day, 54) for end in (band.low, band.default, band.high)
    )
    assert (round(low), round(default), round(high)) == (332, 719, 1725)
    assert low < 419 < high


def test_mtbf_agrees_with_the_projection_of_the_research_clusters() -> None:
    # arXiv 2410.21680: 16,384 GPUs 1.8 h, 131,072 GPUs 0.23 h.
    assert failures.mtbf_hours(2048, 6.5e-3) == pytest.approx(1.80, abs=0.005)
    assert failures.mtbf_hours(16_384, 6.5e-3) == pytest.approx(0.225, abs=0.001)


@pytest.mark.parametrize(
    ("nodes", "rate", "hours", "confidence", "spares"),
    [
        # Mean 0.416: P(0) = 0.660, P(≤1) = 0.934, P(≤2) = 0.991.
        (64, 6.5e-3, 24, 0.65, 0),
        (64, 6.5e-3, 24, 0.93, 1),
        (64, 6.5e-3, 24, 0.95, 2),
        # Mean 1: P(≤3) = 0.981, P(≤4) = 0.9963.
        (100, 0.01, 24, 0.98, 3),
        (100, 0.01, 24, 0.99, 4),
        (64, 6.5e-3, 0, 0.999, 0),
        # Never more spares than nodes.
        (1, 0.9, 24, 0.999999, 1),
    ],
)
def test_spares_are_the_poisson_quantile(nodes: int, rate: float, hours: float, confidence: float, spares: int) -> None:
    assert failures.spare_nodes(nodes, rate, hours, confidence) == spares


def test_a_large_mean_does_not_underflow() -> None:
    # Mean 2,600: near enough normal, 2600 + 1.645 · √2600 = 2684.
    assert failures.spare_nodes(400_000, 6.5e-3, 24, 0.95) == pytest.approx(2684, abs=2)


@settings(deadline=None)
@given(st.integers(1, 20_000), st.integers(1, 20_000), st.floats(1e-4, 0.02), st.floats(0.5, 0.999))
def test_more_nodes_fail_more_often_and_need_no_fewer_spares(
    one: int, two: int, rate: float, confidence: float
) -> None:
    few, many = sorted((one, two))
    assert failures.mtbf_hours(few, rate) >= failures.mtbf_hours(many, rate)
    assert failures.spare_nodes(few, rate, 24, confidence) <= failures.spare_nodes(many, rate, 24, confidence)


@settings(deadline=None)
@given(st.floats(0.5, 0.9999), st.floats(0.5, 0.9999), st.floats(0, 48), st.floats(0, 48))
def test_more_confidence_and_slower_repair_need_no_fewer_spares(
    one: float, two: float, fast: float, slow: float
) -> None:
    assert failures.spare_nodes(500, 0.0065, 24, min(one, two)) <= failures.spare_nodes(500, 0.0065, 24, max(one, two))
    quick, late = sorted((fast, slow))
    assert failures.spare_nodes(500, 0.0065, quick, 0.95) <= failures.spare_nodes(500, 0.0065, late, 0.95)


def test_a_repair_that_never_ends_is_an_error() -> None:
    with pytest.raises(SizingError, match="no number of spares helps"):
        failures.spare_nodes(10, 0.5, 48, 0.9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0, -1, 1e300])
def test_numbers_that_mean_nothing_are_refused(bad: float) -> None:
    with pytest.raises(SizingError, match="failures per node-day"):
        failures.mtbf_hours(8, bad)
    with pytest.raises(SizingError, match="nodes"):
        failures.mtbf_hours(bad, 0.01)  # type: ignore[arg-type]
    with pytest.raises(SizingError):
        failures.spare_nodes(8, 0.01, 24, bad)

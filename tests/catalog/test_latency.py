from __future__ import annotations

from collections import Counter

import pytest

from gpufleet.catalog import latency, regions
from gpufleet.catalog.latency import Latency, LatencyBasis


@pytest.mark.parametrize(
    ("origin", "destination", "rtt_ms", "basis", "as_of"),
    [
        ("eastus", "westus2", 68, LatencyBasis.P50, "2025-06-29"),
        ("eastus", "eastus", 2, LatencyBasis.WITHIN_REGION, "2026-08"),
    ],
)
def test_a_round_trip(origin: str, destination: str, rtt_ms: float, basis: LatencyBasis, as_of: str) -> None:
    found = latency.between(origin, destination)
    assert found == Latency(rtt_ms=rtt_ms, basis=basis, as_of=as_of)


def test_the_best_source_that_there_is_is_used() -> None:
    names = regions.names()
    found = [latency.between(a, b) for a in names for b in names if a != b]
    assert all(found)
    counts = Counter(one.basis for one in found if one)
    # 2,442 pairs were measured one way and 18 more the other way round; the rest is left for the weaker sources.
    assert counts[LatencyBasis.P50] == 2442
    assert counts[LatencyBasis.P50_REVERSE] == 18
    assert counts.total() == 60 * 59
    assert {one.measured for one in found if one and one.basis is LatencyBasis.ESTIMATE} == {False}
    assert {one.measured for one in found if one and one.basis is not LatencyBasis.ESTIMATE} == {True}


def test_a_region_that_the_table_does_not_know() -> None:
    assert latency.between("eastus", "atlantis") is None
    assert latency.between("atlantis", "eastus") is None

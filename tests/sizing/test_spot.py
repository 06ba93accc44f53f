from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.catalog import eviction, sizes
from gpufleet.sizing import checkpoint
from gpufleet.sizing.fabric import job_on
from gpufleet.sizing.spot import SpotWork, spot_work
from gpufleet.spec import parse_environment
from gpufleet.spec.training import TrainingFabric
from gpufleet.spec.usage import SpotEvictionBand
from tests.cost.samples import H100, plain

_SIZE = sizes.get("Standard_NC24ads_A100_v4")


def _fabric(**checkpoints: object) -> TrainingFabric:
    workload = {
        "parametersB": 7,
        "tokensB": 1,
        "datasetTiB": 1,
        "checkpoint": {"maxLossPercent": 5, "resume": True, **checkpoints},
    }
    pools = [{"name": "h100", "sku": H100, "nodes": 1}]
    lab = {"name": "lab", "region": "eastus", "pools": pools, "workload": workload}
    return parse_environment(plain(training=[lab])).training[0]


def _work(band: SpotEvictionBand | None, nodes: int = 1, **checkpoints: object) -> SpotWork:
    fabric = _fabric(**checkpoints)
    assert fabric.workload is not None
    return spot_work(fabric, job_on(fabric.workload, _SIZE, nodes), band)


def test_the_bands_of_the_specification_are_the_published_ones() -> None:
    assert [band.value for band in SpotEvictionBand] == [band.label for band in eviction.bands()]
    assert eviction.worst().label == "20+"


def test_evictions_and_failures_of_one_node() -> None:
    found = _work(SpotEvictionBand.UP_TO_10)
    workload = _fabric().workload
    assert workload is not None
    job = job_on(workload, _SIZE, 1)
    # 10 % within an hour is 9.49 hours to an eviction; 7e9 * 14 bytes through 20 Gb/s are 39.2 s of checkpoint.
    hours = -1 / math.log(0.9)
    stop = 7e9 * 14 / (20_000 * 1e6 / 8)
    mtbf = 1 / (1 / job.mtbf_s + 1 / (hours * 3600))
    interval = checkpoint.availability_optimal_seconds(stop, mtbf)
    assert found.hours_to_eviction.value == pytest.approx(hours)
    assert found.interval_s == pytest.approx(interval)
    assert found.useful == pytest.approx(checkpoint.availability(interval, stop, mtbf, 300))
    assert (round(100 * found.useful, 1), round(100 * found.useful_on_regular, 1)) == (94.4, 99.8)


def test_the_rate_says_where_it_comes_from() -> None:
    def told(band: SpotEvictionBand | None) -> tuple[str, bool]:
        rate = _work(band).hours_to_eviction
        return rate.source, rate.assumed

    assert told(SpotEvictionBand.UP_TO_5) == ("evictions of at most 5 % an hour", False)
    assert told(SpotEvictionBand.ABOVE_20) == ("evictions of at least 20 % an hour", False)
    assert told(None) == ("evictions of at least 20 % an hour, the worst band, for none is declared", True)


def test_an_unknown_rate_is_the_worst_and_never_none() -> None:
    assert _work(None).useful == min(_work(band).useful for band in SpotEvictionBand)
    assert _work(None).useful < _work(SpotEvictionBand.UP_TO_5).useful


def test_a_checkpoint_behind_the_computing_is_no_oftener_than_its_write() -> None:
    # Writes of 7 s a GB stop the job for a second: the interval is the write's 39.2 s and no less.
    assert _work(None, stallSeconds=0.01).interval_s == pytest.approx(7e9 * 14 / (20_000 * 1e6 / 8))


@given(
    st.sampled_from([None, *SpotEvictionBand]),
    st.integers(1, 64),
    st.floats(0, 3600),
    st.one_of(st.none(), st.floats(0.1, 3600)),
)
def test_evictions_never_add_work(
    band: SpotEvictionBand | None, nodes: int, restart: float, stall: float | None
) -> None:
    found = _work(band, nodes, restartSeconds=restart, **({} if stall is None else {"stallSeconds": stall}))
    assert 0 <= found.useful <= found.useful_on_regular <= 1
    assert found.interval_s > 0

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.catalog import lustre
from gpufleet.sizing import file_system
from gpufleet.sizing.numbers import SizingError

_SKUS = st.sampled_from(lustre.names())
_TIB = st.floats(min_value=0.001, max_value=1e5)
_RATE = st.floats(min_value=0, max_value=1e13)


@pytest.mark.parametrize(
    ("hold", "gbytes_per_s", "sku", "capacity", "speed"),
    [
        # 0.98 TB in 60 s are 16.3 GB/s.
        (1, 16.3, "AMLFS-Durable-Premium-125", 144, True),
        (1, 16.3, "AMLFS-Durable-Premium-500", 36, True),
        (41.8, 3.9, "AMLFS-Durable-Premium-250", 48, False),
        (0.1, 0, "AMLFS-Durable-Premium-40", 48, False),
        (48, 1.92, "AMLFS-Durable-Premium-40", 48, False),
        (48.1, 1.92, "AMLFS-Durable-Premium-40", 96, False),
    ],
)
def test_capacity(hold: float, gbytes_per_s: float, sku: str, capacity: float, *, speed: bool) -> None:
    found = file_system.of_sku(sku, hold_tib=hold, bytes_per_second=gbytes_per_s * 1e9)
    assert (found.capacity_tib, found.speed_decides) == (capacity, speed)


def test_both_documented_maximums() -> None:
    found = [
        file_system.of_sku("AMLFS-Durable-Premium-500", hold_tib=hold, bytes_per_second=0) for hold in (128, 132, 1028)
    ]
    assert [(one.over_default_maximum, one.over_documented_maximum) for one in found] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert [one.subnet_prefix for one in found] == [24, 24, 21]


@settings(deadline=None)
@given(_TIB, _RATE, _SKUS)
def test_it_holds_and_is_fast_enough_in_whole_steps(hold: float, rate: float, sku: str) -> None:
    found = file_system.of_sku(sku, hold_tib=hold, bytes_per_second=rate)
    facts = lustre.get(sku)
    assert found.capacity_tib >= hold
    assert found.bytes_per_second >= rate * (1 - 1e-8)
    assert found.capacity_tib % facts.step_tib == 0
    assert found.capacity_tib >= facts.min_tib
    smaller = found.capacity_tib - facts.step_tib
    assert smaller < facts.min_tib or smaller < hold or smaller * facts.mbytes_per_s_per_tib * 1e6 < rate


@settings(deadline=None)
@given(_TIB, _TIB, _RATE, _RATE, _SKUS)
def test_more_is_never_smaller(one: float, two: float, slow: float, fast: float, sku: str) -> None:
    less = file_system.of_sku(sku, hold_tib=min(one, two), bytes_per_second=min(slow, fast))
    more = file_system.of_sku(sku, hold_tib=max(one, two), bytes_per_second=max(slow, fast))
    assert less.capacity_tib <= more.capacity_tib


@pytest.mark.parametrize(
    ("hold", "gbytes_per_s", "sku", "capacity"),
    [
        (2.2, 0.02, "AMLFS-Durable-Premium-500", 4),  # every other minimum is mostly empty
        (41.8, 3.9, "AMLFS-Durable-Premium-125", 48),
        (440, 10, "AMLFS-Durable-Premium-40", 480),
        (440, 100, "AMLFS-Durable-Premium-250", 440),
        (1, 100, "AMLFS-Durable-Premium-500", 200),
        (3000, 1000, "AMLFS-Durable-Premium-500", 3000),
    ],
)
def test_the_slowest_sku_that_is_little_larger_than_its_content(
    hold: float, gbytes_per_s: float, sku: str, capacity: float
) -> None:
    if hold == 3000:
        # 1 TB/s of 3,000 TiB: 40 would need 25,000 TiB, 125 needs 8,000, 250 4,000, 500 exceeds 1,024.
        with pytest.raises(SizingError, match="no Managed Lustre file system holds 3,000 TiB at 1,000 GB/s"):
            file_system.choose(hold_tib=hold, bytes_per_second=gbytes_per_s * 1e9, spare_share=0.25)
        return
    found = file_system.choose(hold_tib=hold, bytes_per_second=gbytes_per_s * 1e9, spare_share=0.25)
    assert (found.sku, found.capacity_tib) == (sku, capacity)


def _blob(**changes: float) -> file_system.BlobWithCache:
    facts: dict[str, float] = {
        "dataset_tib": 40,
        "read_bytes_per_s": 1e9,
        "write_bytes_per_s": 1e9,
        "nvme_bytes_per_node": 24e12,
        "node_read_bytes_per_s": 3.1e9,
        "ingress_bytes_per_s": 3.125e9,
        "egress_bytes_per_s": 6.25e9,
    }
    return file_system.blob_with_cache(nodes=64, **{**facts, **changes})


def test_blob_with_a_cache() -> None:
    assert _blob().would_do
    starved = _blob(read_bytes_per_s=7e9)
    assert not starved.reads
    assert starved.reasons == (
        (
            "the dataset of 40 TiB doesn't fit into a node's NVMe, "
            "and blob gives 6.25 GB/s of the 7 GB/s that the job reads"
        ),
    )
    assert _blob(read_bytes_per_s=7e9, dataset_tib=20).would_do
    slow = _blob(write_bytes_per_s=4e9)
    assert slow.reasons == ("checkpoints need 4 GB/s, one account takes 3.12 GB/s",)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1, 1e300])
def test_numbers_that_mean_nothing_are_refused(bad: float) -> None:
    with pytest.raises(SizingError):
        file_system.of_sku("AMLFS-Durable-Premium-500", hold_tib=bad, bytes_per_second=0)
    with pytest.raises(SizingError):
        file_system.of_sku("AMLFS-Durable-Premium-500", hold_tib=1, bytes_per_second=bad)
    with pytest.raises(SizingError):
        _blob(dataset_tib=bad)


def test_an_unknown_sku_is_named() -> None:
    with pytest.raises(SizingError, match="AMLFS-Durable-Premium-60 is no Managed Lustre SKU"):
        file_system.of_sku("AMLFS-Durable-Premium-60", hold_tib=1, bytes_per_second=0)

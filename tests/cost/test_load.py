from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gpufleet.cost.load import PoolLoad, pool_loads
from tests.cost.samples import H100, NC80, with_pools

_GPU = {"name": "h100", "sku": H100, "nodes": 1}


def _loads(*pools: dict[str, Any]) -> dict[str, tuple[str, str]]:
    found = pool_loads(with_pools(_GPU, *pools))
    return {
        name: (f"{load.nodes.normalize():f}", f"{load.used.normalize():f}")
        for (_, name), load in found.items()
        if name != "h100"
    }


def _range(least: int, most: int, **usage: float) -> dict[str, Any]:
    return {"name": "p", "sku": NC80, "nodes": {"min": least, "max": most}, **({"usage": usage} if usage else {})}


@pytest.mark.parametrize(
    ("pool", "nodes", "used"),
    [
        (_range(2, 10), "10", "10"),
        (_range(2, 10, utilizationPercent=60), "6", "6"),
        (_range(2, 10, utilizationPercent=5), "2", "0.5"),
        (_range(2, 10, utilizationPercent=0), "2", "0"),
        (_range(2, 10, utilizationPercent=100), "10", "10"),
        (_range(2, 10, utilizationPercent=60, hoursPerWeek=42), "3", "1.5"),
        ({**_range(1, 1), "nodes": 4, "usage": {"utilizationPercent": 75, "hoursPerWeek": 84}}, "4", "1.5"),
        ({**_range(1, 1), "nodes": 4}, "4", "4"),
    ],
)
def test_one_pool(pool: dict[str, Any], nodes: str, used: str) -> None:
    assert _loads(pool) == {"p": (nodes, used)}


def _spot(availability: float | None = None, size: str = NC80) -> dict[str, Any]:
    usage = {
        "utilizationPercent": 50,
        **({"spotAvailabilityPercent": availability} if availability is not None else {}),
    }
    return {"name": "spot", "sku": size, "priority": "spot", "nodes": {"min": 0, "max": 12}, "usage": usage}


@pytest.mark.parametrize(
    ("availability", "spot", "regular"),
    [(None, "6", "3"), (100, "6", "3"), (50, "3", "6"), (0, "0", "9")],
)
def test_work_without_spot_capacity_moves_to_a_regular_pool_of_the_size(
    availability: float | None, spot: str, regular: str
) -> None:
    found = _loads(_spot(availability), _range(1, 12, utilizationPercent=25))
    assert found == {"spot": (spot, spot), "p": (regular, regular)}


def test_a_regular_pool_takes_no_more_than_its_maximum() -> None:
    assert _loads(_spot(0), _range(1, 4, utilizationPercent=25)) == {"spot": ("0", "0"), "p": ("4", "4")}


def test_several_regular_pools_take_one_after_the_other() -> None:
    second = {**_range(0, 8, utilizationPercent=25), "name": "q"}
    found = _loads(_spot(0), _range(1, 4, utilizationPercent=25), second)
    assert found == {"spot": ("0", "0"), "p": ("4", "4"), "q": ("5", "5")}


def test_a_fixed_pool_takes_work_without_growing() -> None:
    fixed = {"name": "p", "sku": NC80, "nodes": 8, "usage": {"utilizationPercent": 50}}
    assert _loads(_spot(50), fixed) == {"spot": ("3", "3"), "p": ("8", "7")}


def test_another_size_or_place_takes_nothing() -> None:
    other = {**_range(1, 12, utilizationPercent=25), "sku": "Standard_NC40ads_H100_v5"}
    assert _loads(_spot(0), other) == {"spot": ("0", "0"), "p": ("3", "3")}


def test_without_usage_a_pool_says_so() -> None:
    assert pool_loads(with_pools(_GPU)) == {
        ("lab", "h100"): PoolLoad(nodes=Decimal(1), used=Decimal(1), declared=False)
    }

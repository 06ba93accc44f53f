from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gpufleet.cost.load import PoolLoad, pool_loads
from gpufleet.spec import parse_environment
from tests.cost.samples import H100, NC80, plain, with_pools

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


_NIGHTS = {
    "name": "nights",
    "days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "from": "19:00",
    "to": "07:00",
    "timeZone": "Europe/Stockholm",
}
_WEEKEND = {**_NIGHTS, "name": "weekend", "days": ["Saturday", "Sunday"], "from": "07:00", "to": "07:00"}


def _stopped(*pools: dict[str, Any], **fabric: object) -> dict[str, Any]:
    """Nodes and used nodes by the hour of the week, as whole node-hours, under nights and weekends."""
    value = plain(
        training=[{"name": "lab", "region": "eastus", "pools": list(pools), "schedules": [_NIGHTS, _WEEKEND], **fabric}]
    )
    found = pool_loads(parse_environment(value))
    return {name: (load.nodes * 168, load.used * 168) for (_, name), load in found.items()}


# 60 hours are open; five stops of ten minutes each until the autoscaler takes the nodes are 50 minutes more.
_PAID = 60 + Decimal(50) / 60


@pytest.mark.parametrize(
    ("usage", "nodes", "used"),
    [
        ({}, 8 * _PAID, 8 * 60),
        ({"utilizationPercent": 50}, 4 * _PAID, 4 * 60),
        ({"utilizationPercent": 50, "hoursPerWeek": 168}, 4 * _PAID, 4 * 60),
        ({"utilizationPercent": 50, "hoursPerWeek": 60}, 4 * 60, 4 * 60),
        ({"utilizationPercent": 50, "hoursPerWeek": 40}, 4 * 40, 4 * 40),
    ],
)
def test_schedules_leave_so_many_hours(usage: dict[str, float], nodes: Decimal, used: Decimal) -> None:
    found = _stopped({**_range(0, 8, **usage), "sku": H100})
    assert found["p"] == (pytest.approx(nodes), pytest.approx(used))


def test_the_autoscaler_of_the_cluster_says_how_long_nodes_stay_after_a_stop_begins() -> None:
    cluster = {"autoscaler": {"scaleDownUnneededTime": "30m"}}
    assert _stopped(_range(0, 8), cluster=cluster)["p"][0] == pytest.approx(8 * (60 + Decimal(150) / 60))


def test_no_stop_lasts_longer_than_it_does() -> None:
    cluster = {"autoscaler": {"scaleDownUnneededTime": "9999m"}}
    assert _stopped(_range(0, 8), cluster=cluster)["p"][0] == pytest.approx(8 * 168)


def test_cpu_pools_are_in_no_queue_and_go_on() -> None:
    cpu = {"name": "data", "sku": "Standard_D32s_v5", "nodes": {"min": 1, "max": 4}}
    assert _stopped(_range(0, 8), cpu)["data"] == (4 * 168, 4 * 168)


def test_work_without_spot_capacity_moves_no_further_than_the_open_hours() -> None:
    workload = {
        "parametersB": 7,
        "tokensB": 1,
        "datasetTiB": 1,
        "checkpoint": {"maxLossPercent": 5, "resume": True},
    }
    found = _stopped(_spot(0), _range(0, 4, utilizationPercent=25), workload=workload)
    assert found["spot"] == (0, 0)
    assert found["p"] == (pytest.approx(_PAID + 3 * 60), pytest.approx(4 * 60))

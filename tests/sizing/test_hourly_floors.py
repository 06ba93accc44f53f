from __future__ import annotations

from typing import Any

import pytest

from gpufleet.sizing.hourly_floors import hourly_floors, regional_shares, windows
from gpufleet.spec.inference import Inference

SIZE = "Standard_NC80adis_H100_v5"
SERVER = "chat-fp8-nc80adis-h100-v5"
NIGHT = [50] * 8 + [100] * 16


def platform(
    *regions: dict[str, Any], demand: list[dict[str, Any]] | None = None, tokens: float = 8000, farther: int = 0
) -> Inference:
    """One model; a server of it is a node and gives 2,000 tokens a second."""
    model = {
        "name": "chat",
        "parametersB": 70,
        "precision": "fp8",
        "contextTokens": 8192,
        "demandTokensPerSecond": tokens,
        "tokensPerSecondPerGpu": {SIZE: 1000},
    }
    return Inference.model_validate(
        {
            "models": [model],
            "regions": [*regions],
            "demand": demand or [],
            "frontDoor": {"additionalLatencyMilliseconds": farther},
        }
    )


def region(name: str, least: int = 1, most: int = 6, spot: int = 0, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    pools: list[dict[str, Any]] = [{"name": "nc", "sku": SIZE, "nodes": {"min": least, "max": most}}]
    if spot:
        pools.append({"name": "spot", "sku": SIZE, "priority": "spot", "nodes": {"min": 0, "max": spot}})
    return {"name": name, "pools": pools, **more}


def test_a_place_is_served_by_the_nearest_region_hour_by_hour() -> None:
    demand = [{"region": "eastus", "share": 3, "hourlyPercent": NIGHT}, {"region": "westeurope", "share": 1}]
    shares = regional_shares(platform(region("eastus"), region("swedencentral"), demand=demand))
    assert shares["eastus"] == (0.375,) * 8 + (0.75,) * 16
    assert shares["swedencentral"] == (0.25,) * 24


def test_regions_that_are_alike_near_share_by_weight() -> None:
    demand = [{"region": "eastus", "share": 1}]
    places = (region("eastus", weight=300), region("eastus2", weight=100))
    # 2 ms within eastus, 7 ms to eastus2.
    for farther, shares in ((4, {"eastus": 1, "eastus2": 0}), (50, {"eastus": 0.75, "eastus2": 0.25})):
        found = regional_shares(platform(*places, demand=demand, farther=farther))
        assert {name: hours[0] for name, hours in found.items()} == shares


def test_a_standby_region_gets_nothing() -> None:
    demand = [{"region": "westeurope", "share": 1, "hourlyPercent": NIGHT}]
    found = platform(region("eastus"), region("swedencentral", priority=2), demand=demand)
    assert regional_shares(found)["swedencentral"] == (0,) * 24
    assert hourly_floors(found)["swedencentral", SERVER] == (1,) * 24


def test_a_region_that_drains_gets_nothing() -> None:
    demand = [{"region": "eastus", "share": 1}]
    shares = regional_shares(platform(region("eastus", drain=True), region("swedencentral"), demand=demand))
    assert {name: hours[0] for name, hours in shares.items()} == {"eastus": 0, "swedencentral": 1}


def test_without_places_regions_share_and_there_is_no_schedule() -> None:
    found = platform(region("eastus"), region("swedencentral"))
    assert regional_shares(found) == {"eastus": (0.5,) * 24, "swedencentral": (0.5,) * 24}
    assert hourly_floors(found) == {("eastus", SERVER): (1,) * 24, ("swedencentral", SERVER): (1,) * 24}


@pytest.mark.parametrize(
    ("tokens", "floors"),
    [
        # Exactly two servers at night and four by day; never below the warm floor, never above the regular nodes.
        (8000, (2,) * 8 + (4,) * 16),
        (8001, (3,) * 8 + (5,) * 16),
        (100, (1,) * 24),
        (40000, (6,) * 24),
    ],
)
def test_servers_for_the_hours_demand(tokens: float, floors: tuple[int, ...]) -> None:
    demand = [{"region": "eastus", "share": 1, "hourlyPercent": NIGHT}]
    found = platform(region("eastus", spot=6), demand=demand, tokens=tokens)
    assert hourly_floors(found) == {("eastus", SERVER): floors}


def test_a_place_that_no_table_knows_the_way_from_is_served_by_all() -> None:
    demand = [{"region": "atlantis", "share": 1}]
    shares = regional_shares(platform(region("eastus"), region("swedencentral"), demand=demand))
    assert {hours[0] for hours in shares.values()} == {0.5}


def test_windows() -> None:
    assert list(windows((2,) * 24)) == []
    assert list(windows((1,) * 6 + (3,) * 12 + (1,) * 6)) == [(6, 18, 3), (18, 6, 1)]

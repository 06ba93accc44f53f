"""USD for a million tokens, from nodes and what surrounds them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gpufleet.cost import estimate
from gpufleet.cost.token_cost import TokenCost, as_dict, rows
from gpufleet.outlook import outlook, token_costs
from gpufleet.spec import Environment
from tests.outlook.samples import NC80, environment

EASTUS = Decimal("13.96")
"""List price of a Standard_NC80adis_H100_v5 in eastus, USD an hour (2026-06-18)."""


def _costs(spec: Environment) -> list[TokenCost]:
    found = outlook(spec)
    assert found is not None
    return token_costs(found, estimate(spec, [], name="test"))


def _alone(*, least: int, most: int, demand: float, curve: list[int] | None = None) -> Environment:
    model = {
        "name": "chat",
        "parametersB": 70,
        "precision": "fp8",
        "contextTokens": 8192,
        "demandTokensPerSecond": demand,
        "tokensPerSecondPerGpu": {NC80: 500},
    }
    pools = [{"name": "nc", "sku": NC80, "nodes": {"min": least, "max": most}}]
    users = [{"region": "eastus", "share": 1, **({"hourlyPercent": curve} if curve else {})}]
    return environment(models=[model], regions=[{"name": "eastus", "pools": pools}], demand=users)


def test_at_floor_over_the_day_and_at_peak() -> None:
    # A node gives 1,000 tokens/s: 3.6 million an hour. Half of the day asks for 4,000 a second, half for nothing.
    (cost,) = _costs(_alone(least=2, most=10, demand=4000, curve=[100] * 12 + [0] * 12))
    busy = EASTUS / Decimal("3.6")
    assert cost.floor == cost.peak == pytest.approx(busy.quantize(Decimal("0.0001")))
    # 12 hours of 4 nodes and 12 of the floor's 2, for 12 hours of tokens.
    assert cost.expected == (busy * 6 / 4).quantize(Decimal("0.0001"))
    assert cost.basis == "173 million output tokens a day"


def test_no_floor_no_figure() -> None:
    (cost,) = _costs(_alone(least=0, most=10, demand=4000))
    assert cost.floor is None
    assert as_dict(cost)["floorUsd"] is None
    assert next(rows([cost]))[1] == "-"


def test_a_missing_price_is_no_figure() -> None:
    spec = environment()
    found = _costs(spec.model_copy(update={"prices": spec.prices.model_copy(update={"assumed": []})}))
    east = [one for one in found if one.region == "eastus"]
    assert {(one.floor, one.expected, one.peak) for one in east} == {(None, None, None)}
    assert {one.basis for one in east} == {f"{NC80} spot has no price"}


def test_every_model_in_every_region() -> None:
    found = _costs(environment())
    assert [(one.region, one.model) for one in found] == [
        (region, model) for region in ("eastus", "swedencentral", "japaneast") for model in ("chat", "small")
    ]
    assert all(one.floor and one.expected and one.peak for one in found)

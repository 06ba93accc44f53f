"""Three regions, two models, a day that follows the sun; one region is small."""

from __future__ import annotations

from typing import Any

from gpufleet.outlook import Outlook, outlook
from gpufleet.spec import Environment, parse_environment

NC80 = "Standard_NC80adis_H100_v5"
NC40 = "Standard_NC40ads_H100_v5"
AMERICA = [30, 25, 20, 15, 10, 10, 10, 15, 25, 35, 45, 55, 70, 85, 95, 100, 100, 100, 95, 90, 80, 70, 55, 40]
EUROPE = AMERICA[5:] + AMERICA[:5]
ASIA = AMERICA[13:] + AMERICA[:13]


def value(**changes: object) -> dict[str, Any]:
    """The environment as a plain value; `changes` replace keys of `inference`."""
    return {
        "class": "production",
        "owner": "ml-platform",
        "costCenter": "cc-1",
        "allowedRegions": ["eastus", "swedencentral", "japaneast"],
        "budget": {"monthlyUsd": 9000000, "start": "2026-12-01", "contacts": ["a@example.com"]},
        "prices": {
            "assumed": [{"sku": NC80, "priority": "spot", "usd": 7, "unit": "hour", "reason": "half the list price"}]
        },
        "inference": {
            "models": [
                {
                    "name": "chat",
                    "parametersB": 70,
                    "precision": "fp8",
                    "contextTokens": 8192,
                    "demandTokensPerSecond": 22000,
                    "tokensPerSecondPerGpu": {NC80: 1000},
                },
                {
                    "name": "small",
                    "parametersB": 7,
                    "precision": "fp8",
                    "contextTokens": 4096,
                    "demandTokensPerSecond": 9000,
                    "tokensPerSecondPerGpu": {NC40: 3000},
                },
            ],
            "regions": [_region("eastus", 5, spot=4), _region("swedencentral", 8), _region("japaneast", 3)],
            "demand": [
                {"region": "eastus", "share": 5, "maxRttMs": 120, "hourlyPercent": AMERICA},
                {"region": "westeurope", "share": 4, "hourlyPercent": EUROPE},
                {"region": "japaneast", "share": 2, "maxRttMs": 100, "hourlyPercent": ASIA},
            ],
            **changes,
        },
    }


def _region(name: str, most: int, spot: int = 0) -> dict[str, Any]:
    pools: list[dict[str, Any]] = [
        {"name": "nc", "sku": NC80, "nodes": {"min": 2, "max": most}},
        {"name": "small", "sku": NC40, "nodes": {"min": 1, "max": 3}},
    ]
    if spot:
        usage = {"utilizationPercent": 50, "spotAvailabilityPercent": 75}
        nodes = {"min": 0, "max": spot}
        pools.append({"name": "spot", "sku": NC80, "priority": "spot", "nodes": nodes, "usage": usage})
    return {"name": name, "pools": pools}


def environment(**changes: object) -> Environment:
    """The environment."""
    return parse_environment(value(**changes))


def ahead(**changes: object) -> Outlook:
    """Its outlook."""
    found = outlook(environment(**changes))
    assert found is not None
    return found

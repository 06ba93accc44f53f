"""Regions that scale, for golden manifests and tests of what watches and scales their servers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.components.graphs import Graph, Registered, build, whole_numbers
from tests.spec.environments import changed

GOLDEN = Path(__file__).parent / "golden" / "autoscaling"
SIZE = "Standard_NC80adis_H100_v5"
REGIONS = ("eastus", "swedencentral")
DAY = [40] * 6 + [60] * 4 + [100] * 8 + [70] * 6
"""Demand of a place by hour of the day in UTC."""


def weights(letter: str) -> dict[str, str]:
    """Weights by a digest of their own."""
    return {"artifact": f"models/chat@sha256:{letter * 64}"}


def environment() -> dict[str, Any]:
    """Two regions with regular and spot nodes; one model in two forms, its streams of half an hour and more."""
    model = {
        "name": "chat",
        "parametersB": 70,
        "precision": "fp8",
        "contextTokens": 8192,
        "demandTokensPerSecond": 16000,
        "tokensPerSecondPerGpu": {SIZE: 1000},
        "image": f"vllm/vllm-openai@sha256:{'b' * 64}",
        "weights": weights("a"),
        "longestStreamSeconds": 2400,
        "autoscaling": {"waitingRequestsPerReplica": 8, "kvCachePercent": 75, "cooldownSeconds": 600},
        "latency": {"timeToFirstTokenMs": 1500},
        "variants": [
            {
                "precision": "int4",
                "trafficPercent": 25,
                "weights": weights("c"),
                "tokensPerSecondPerGpu": {SIZE: 1000},
            }
        ],
    }
    pools = [
        {"name": "nc", "sku": SIZE, "nodes": {"min": 4, "max": 8}},
        {"name": "spot", "sku": SIZE, "priority": "spot", "nodes": {"min": 0, "max": 4}},
    ]
    platform = {
        "models": [model],
        "regions": [{"name": name, "pools": pools} for name in REGIONS],
        "demand": [
            {"region": "eastus", "share": 50, "hourlyPercent": DAY},
            {"region": "westeurope", "share": 50},
        ],
        "frontDoor": {"additionalLatencyMilliseconds": 20},
    }
    return changed({("training",): [], ("inference",): platform})


@cache
def graph() -> Graph:
    """The program's graph; built once a process, so read it only."""
    return build(environment())


def inside(region: str) -> list[Registered]:
    """What scales and scrapes in the cluster of a region."""
    groups = ("kubernetes:keda.sh/", "kubernetes:azmonitoring.coreos.com/")
    return [one for one in graph().resources if one.name.startswith(f"{region}-") and one.type.startswith(groups)]


def scaled(region: str, form: str) -> dict[str, Any]:
    """Spec of the ScaledObject of a form's servers."""
    (found,) = [one for one in inside(region) if one.type.endswith(":ScaledObject") and f"-{form}-" in one.name]
    spec: dict[str, Any] = whole_numbers(found.inputs)["spec"]
    return spec


def documents() -> Iterator[tuple[str, str]]:
    """File name and content of each golden file."""
    for region in REGIONS:
        text = yaml.safe_dump_all([whole_numbers(one.inputs) for one in inside(region)], sort_keys=False, width=140)
        yield f"{region}.yaml", text

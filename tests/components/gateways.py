"""What a region's gateway is in its cluster, for golden manifests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gpufleet.spec.base import Path as SpecPath
from tests.components.graphs import Graph, Registered, build, whole_numbers
from tests.spec.environments import changed

GOLDEN = Path(__file__).parent / "golden"
FOLDERS = ("gateway", "api-management")
_IMAGE = "vllm/vllm-openai@sha256:b0501f99fec5136f248f78d5850977a2ec32d55cd9a665f4a9ffef24cbdf7fe5"


def _model(name: str, parameters_b: float, precision: str, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "parametersB": parameters_b,
        "precision": precision,
        "contextTokens": 8192,
        "demandTokensPerSecond": 1000,
        "image": _IMAGE,
        "weights": {"artifact": f"models/{name}-{precision}@sha256:{'0' * 64}"},
        **more,
    }


_CHAT = _model(
    "chat-70b",
    70,
    "fp8",
    longestStreamSeconds=900,
    variants=[
        {
            "precision": "fp16",
            "trafficPercent": 20,
            "weights": {"artifact": f"models/chat-70b-fp16@sha256:{'1' * 64}"},
        }
    ],
)
_PREFIXES = ("eastus-gateway-", "test-inference-api-management-")
_MODELS, _POOLS = ("inference", "models"), ("inference", "regions", 0, "pools")
_NODES = [{"name": "gpu", "sku": "Standard_ND96isr_H100_v5", "nodes": {"min": 3, "max": 6}}]
_EASTUS: dict[SpecPath, object] = {("inference", "regions", 0, "name"): "eastus", ("training",): []}
CASES: dict[str, dict[SpecPath, object]] = {
    "two-models": {**_EASTUS, _MODELS: [_CHAT, _model("embed", 7, "bf16")], _POOLS: _NODES},
    "traffic-manager": {
        **_EASTUS,
        _MODELS: [_model("chat-8b", 8, "fp8")],
        _POOLS: [{"name": "gpu", "sku": "Standard_NC40ads_H100_v5", "nodes": 2}],
        ("inference", "globalEndpoint"): "traffic-manager",
        ("inference", "trafficManager"): {"domain": "chat.example.com"},
        ("inference", "gateway"): {"tlsSecret": "chat", "maxRequestMiB": 32, "minReplicas": 3, "maxReplicas": 6},
    },
    "api-management": {
        **_EASTUS,
        _MODELS: [_model("chat-8b", 8, "fp8")],
        _POOLS: [{"name": "gpu", "sku": "Standard_NC40ads_H100_v5", "nodes": 2}],
        ("inference", "apiManagement"): {
            "publisherName": "ML platform",
            "publisherEmail": "ml-platform@example.com",
            "teams": [
                {"name": "search", "tokensPerMinute": 100000, "monthlyTokens": 1000000000},
                {"name": "support", "tokensPerMinute": 5000},
            ],
        },
    },
    "private-link": {
        **_EASTUS,
        _MODELS: [_model("chat-8b", 8, "fp8")],
        _POOLS: [{"name": "gpu", "sku": "Standard_NC40ads_H100_v5", "nodes": 2}],
        ("inference", "frontDoor"): {
            "sku": "Premium_AzureFrontDoor",
            "privateLink": True,
            "originDomain": "origins.example.com",
        },
        ("inference", "gateway"): {"tlsSecret": "origins"},
    },
}


@cache
def graph(case: str) -> Graph:
    """The program's graph of a case; built once a process, so read it only."""
    return build(changed(CASES[case]))


def objects(case: str) -> list[Registered]:
    """Everything of the region's gateway but the definitions of kinds, and of API Management."""
    return [
        one
        for one in graph(case).resources
        if one.custom and one.name.startswith(_PREFIXES) and not _is_definition(one)
    ]


def _is_definition(one: Registered) -> bool:
    return one.inputs.get("kind") == "CustomResourceDefinition"


def documents() -> Iterator[tuple[str, str]]:
    """Folder and file name, and content, of each golden file: what is in clusters, and Azure's part by itself."""
    for case in CASES:
        yield f"gateway/{case}.yaml", _text([one for one in objects(case) if not _is_azure(one)])
    yield "api-management/bodies.yaml", _text([one for one in objects("api-management") if _is_azure(one)])


def _is_azure(one: Registered) -> bool:
    return one.type.startswith("azure-native:")


def _text(found: list[Registered]) -> str:
    values = [whole_numbers(one.inputs) for one in found]
    return yaml.safe_dump_all(values, sort_keys=False, width=140, allow_unicode=True)

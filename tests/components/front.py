"""Environments with each kind of global endpoint, for graphs and golden bodies."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from gpufleet.spec.base import Path as SpecPath
from tests.components.graphs import ROOT, Graph, build, whole_numbers
from tests.components.serving import MODELS, model, pool
from tests.spec.environments import changed

GOLDEN = ROOT / "tests" / "components" / "golden" / "front"
_INFERENCE = ("inference",)
_DOOR = ("inference", "frontDoor")
_SERVED = model("chat-8b", 8, "fp8")
_SECRET = {"tlsSecret": "gateway-tls"}


def region(name: str, **more: object) -> dict[str, Any]:
    """A region of one pool."""
    return {"name": name, "pools": [pool("Standard_NC40ads_H100_v5")], **more}


_BASE: dict[SpecPath, object] = {
    ("training",): [],
    ("allowedRegions",): ["eastus", "swedencentral", "westus2"],
    ("inference", "regions"): [region("eastus"), region("swedencentral", priority=2, weight=10)],
}
CASES: dict[str, dict[SpecPath, object]] = {
    "standard": {
        **_BASE,
        _DOOR: {
            "domains": ["chat.example.com"],
            "additionalLatencyMilliseconds": 0,
            "waf": {"requestsPerMinute": 600, "allowedCountries": ["SE", "US"]},
        },
    },
    "drained": {**_BASE, MODELS: [_SERVED], ("inference", "regions", 1, "drain"): True},
    "private": {
        **_BASE,
        MODELS: [_SERVED],
        ("inference", "regions", 1): region("westus2"),
        _DOOR: {
            "sku": "Premium_AzureFrontDoor",
            "privateLink": True,
            "originDomain": "gateways.example.com",
            "waf": {"requestsPerMinute": 600, "mode": "Detection"},
        },
        (*_INFERENCE, "gateway"): _SECRET,
    },
    "traffic-manager": {
        **_BASE,
        MODELS: [_SERVED],
        (*_INFERENCE, "globalEndpoint"): "traffic-manager",
        (*_INFERENCE, "trafficManager"): {"domain": "chat.example.com"},
        (*_INFERENCE, "gateway"): _SECRET,
    },
}
_OURS = ("cdn:", "frontdoor:", "trafficmanager:")


@cache
def graph(case: str) -> Graph:
    """The program's graph of a case; built once a process, so read it only."""
    return build(changed(CASES[case]))


def after(case: str, name: str) -> list[str]:
    """Logical names of all that a resource waits for."""
    by_urn = {one.urn: one.name for one in graph(case).resources}
    found = next(one for one in graph(case).resources if one.name == name)
    return sorted(by_urn[urn] for urn in found.dependencies if urn in by_urn)


def bodies(case: str) -> dict[str, dict[str, Any]]:
    """Type, properties and what of the global endpoint comes before, of all its resources by logical name."""
    ours = [one for one in graph(case).resources if one.type.removeprefix("azure-native:").startswith(_OURS)]
    names = {one.name for one in ours}
    return {
        one.name: {
            "type": one.type.removeprefix("azure-native:"),
            "after": [name for name in after(case, one.name) if name in names],
            "properties": whole_numbers({key: value for key, value in one.inputs.items() if key != "tags"}),
        }
        for one in ours
    }


def documents() -> dict[str, str]:
    """File name and content of each golden file."""
    return {f"{case}.yaml": yaml.safe_dump(bodies(case), sort_keys=False, width=140) for case in CASES}

"""Each kind of global endpoint before two serving regions: made, unchanged by a second run, and taken away whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.store import RESOURCES, Store
from tests.pool_changes.fabric import SOURCE, Fabric, Spec, make_fabric

pytestmark = [pytest.mark.soak, pytest.mark.engine, pytest.mark.timeout(1800)]

REGIONS = ("eastus", "westus2")
_SECRET = {"tlsSecret": "gateway-tls"}
# Settings, and what of each type there is then.
ENDPOINTS: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "front-door": (
        {"frontDoor": {"domains": ["chat.example.com"], "waf": {"requestsPerMinute": 600}}},
        {"cdn:AFDOrigin": 2, "cdn:AFDCustomDomain": 1, "cdn:SecurityPolicy": 1, "frontdoor:Policy": 1},
    ),
    "private-link": (
        {
            "frontDoor": {
                "sku": "Premium_AzureFrontDoor",
                "privateLink": True,
                "originDomain": "gateways.example.com",
            },
            "gateway": _SECRET,
        },
        {"cdn:AFDOrigin": 2, "network:PrivateLinkService": 2},
    ),
    # One profile by latency below one by priority, which has it as its only endpoint.
    "traffic-manager": (
        {
            "globalEndpoint": "traffic-manager",
            "trafficManager": {"domain": "chat.example.com"},
            "gateway": _SECRET,
        },
        {"trafficmanager:Profile": 2, "trafficmanager:Endpoint": 3},
    ),
    "api-management": (
        {
            "apiManagement": {
                "publisherName": "ML platform",
                "publisherEmail": "ml-platform@example.com",
                "teams": [{"name": "search", "tokensPerMinute": 100000}],
            }
        },
        {"cdn:AFDOrigin": 2, "apimanagement:ApiManagementService": 1, "apimanagement:Subscription": 1},
    ),
}


def document(endpoint: dict[str, Any]) -> Spec:
    """Two regions that serve one model, on a node of one H100 each, with these settings of the global endpoint."""
    found: Spec = yaml.safe_load((SOURCE / "stacks/Pulumi.dev.yaml").read_text(encoding="utf-8"))
    spec = found["config"]["gpufleet:environment"]
    del spec["training"]
    spec["allowedRegions"] = list(REGIONS)
    spec["usage"] = {"logsGbPerDay": 2}
    model = {
        "name": "chat",
        "parametersB": 8,
        "precision": "fp8",
        "contextTokens": 8192,
        "demandTokensPerSecond": 1000,
        "image": f"vllm/vllm-openai@sha256:{'1' * 64}",
        "weights": {"artifact": f"models/chat-8b-fp8@sha256:{'a' * 64}"},
    }
    pool = {"name": "nc", "sku": "Standard_NC40ads_H100_v5", "nodes": {"min": 1, "max": 3}}
    regions = [{"name": name, "pools": [pool]} for name in REGIONS]
    spec["inference"] = {"models": [model], "regions": regions, **endpoint}
    return found


def types(sandbox: Path) -> Counter[str]:
    """How many resources of each type the sandbox's Azure has, and objects of each kind its clusters have."""
    records = [record for _, record in Store(sandbox / "cloud").items(RESOURCES)]
    names = [record.get("token") or record.get("object", {}).get("kind", "Release") for record in records]
    return Counter(name.removeprefix("azure-native:") for name in names)


def ends_well(fabric: Fabric, command: str, *more: str) -> None:
    outcome = fabric.gpufleet(command, "t", "--sandbox", "--yes", *more)
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_an_endpoint_comes_stays_and_goes(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, wanted = ENDPOINTS[kind]
    fabric = make_fabric(tmp_path, monkeypatch, capsys, document(settings))

    ends_well(fabric, "up", "--skip-preview", "--no-check")
    there = types(tmp_path / "sandbox")
    assert {name: there[name] for name in wanted} == wanted
    assert there["InferencePool"] == len(REGIONS)
    ends_well(fabric, "up", "--no-check", "--expect-no-changes")
    ends_well(fabric, "destroy")
    assert types(tmp_path / "sandbox") == {}

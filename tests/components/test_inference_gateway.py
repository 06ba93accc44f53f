"""A region's gateway and API Management: manifests, order, weights, what Pod Security says of their pods."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from components.api_management import api_policy, team_policy
from components.inference_pools import PoolPlan, weights
from gpufleet.spec.api_management import ApiTeam
from sandbox.kubernetes.pod_security import violations
from tests.components.gateways import CASES, FOLDERS, GOLDEN, documents, graph, objects

_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def _kind(case: str, kind: str) -> dict[str, dict[str, Any]]:
    found = [one.inputs for one in objects(case) if one.inputs.get("kind") == kind]
    return {str(one["metadata"]["name"]): one for one in found}


def test_golden_files_are_current() -> None:
    files = [path for folder in FOLDERS for path in (GOLDEN / folder).glob("*.yaml")]
    assert {str(path.relative_to(GOLDEN)): path.read_text(encoding="utf-8") for path in files} == dict(documents())


@pytest.mark.parametrize("case", CASES)
def test_every_pod_passes_restricted(case: str) -> None:
    pods = {name: one["spec"]["template"]["spec"] for name, one in _kind(case, "Deployment").items()}
    assert {name: violations(_RESTRICTED, "enforce", spec) for name, spec in pods.items()} == dict.fromkeys(pods)
    assert "region-health" in pods


def test_a_models_route_goes_before_its_pools_and_these_before_its_servers() -> None:
    made = graph("two-models")
    named = {one.name: one for one in made.resources}
    route = named["eastus-gateway-httproute-model-embed"]
    pool = named["eastus-gateway-pools-models-embed-bf16-pool"]
    after_route = {made.named(urn) for urn in route.dependencies}
    after_pool = {made.named(urn) for urn in pool.dependencies}
    assert pool.name in after_route
    assert "eastus-gateway-gateway-inference" in after_route
    assert {name for name in after_pool if "chat-70b" in name} == set()
    assert any(name.startswith("eastus-embed-bf16-") for name in after_pool)


def test_a_region_knows_the_front_door_and_who_calls_it() -> None:
    entry = _kind("api-management", "AgentgatewayPolicy")["entry"]["spec"]["traffic"]
    assert entry["authorization"]["policy"]["matchExpressions"] == [
        'request.path == "/health" || request.headers["x-azure-fdid"] == "test-inference-front-door-afd-guid"',
        'request.path == "/health" || jwt.oid == "test-inference-api-management-service-principal"',
    ]
    assert "authorization" not in _kind("traffic-manager", "AgentgatewayPolicy")["entry"]["spec"]["traffic"]


def _pool(form: str, share: float, rate: float, namespace: str = "models") -> PoolPlan:
    return PoolPlan(
        model="chat",
        form=form,
        namespace=namespace,
        share=share,
        rate=rate,
        leaders_only=False,
        longest_stream_seconds=600,
        servers=(),
    )


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ([_pool("fp8", 0.9, 100), _pool("fp16", 0.1, 1)], [900, 100]),
        # One form on one node and over several: by what each part can give.
        ([_pool("fp8", 0.8, 300), _pool("fp8", 0.8, 100, "models-rdma"), _pool("fp16", 0.2, 5)], [600, 200, 200]),
        ([_pool("fp8", 1.0, 10), _pool("fp16", 0.0, 10)], [1000, 0]),
        # Less than a thousandth is still a part.
        ([_pool("fp8", 1.0, 100_000), _pool("fp8", 1.0, 1, "models-rdma")], [1000, 1]),
        # All requests belong to a form that isn't served here.
        ([_pool("fp16", 0.0, 10)], [1]),
    ],
    ids=["shares", "two-namespaces", "none", "least", "only-another"],
)
def test_weights(pools: list[PoolPlan], expected: list[int]) -> None:
    assert list(weights(pools).values()) == expected


def test_policies_are_documents_with_the_teams_limits() -> None:
    limited = ApiTeam.model_validate({"name": "search", "tokensPerMinute": 100, "monthlyTokens": 5000})
    free = ApiTeam.model_validate({"name": "chat", "tokensPerMinute": 7})
    found = [ET.fromstring(team_policy(team)).find("inbound/llm-token-limit") for team in (limited, free)]
    kept = ("tokens-per-minute", "token-quota", "token-quota-period", "counter-key")
    assert [one is not None and {name: one.get(name) for name in kept if one.get(name)} for one in found] == [
        {
            "tokens-per-minute": "100",
            "token-quota": "5000",
            "token-quota-period": "Monthly",
            "counter-key": "@(context.Subscription.Id)",
        },
        {"tokens-per-minute": "7", "counter-key": "@(context.Subscription.Id)"},
    ]
    forward = ET.fromstring(api_policy()).find("backend/forward-request")
    assert forward is not None
    assert forward.attrib == {"timeout": "240", "buffer-response": "false"}

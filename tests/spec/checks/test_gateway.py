"""Gateways and API Management: who issues certificates, and what is refused."""

from __future__ import annotations

from gpufleet.spec import Severity
from gpufleet.spec.base import Path
from tests.spec.environments import Case, cases, judge

_GATEWAY = ("inference", "gateway")
_API = ("inference", "apiManagement")
_DIGEST = f"sha256:{'0' * 64}"
_SERVED: dict[Path, object] = {
    ("inference", "models", 0, "weights"): {"artifact": f"models/chat@{_DIGEST}"},
    ("inference", "models", 0, "image"): f"vllm/vllm-openai@{_DIGEST}",
}
_ENDPOINT: dict[Path, object] = {
    ("inference", "globalEndpoint"): "traffic-manager",
    ("inference", "trafficManager"): {"domain": "chat.example.com"},
}
_PRIVATE: dict[Path, object] = {
    ("inference", "frontDoor"): {
        "sku": "Premium_AzureFrontDoor",
        "privateLink": True,
        "originDomain": "origins.example.com",
    }
}
_OWN: dict[Path, object] = {_GATEWAY: {"tlsSecret": "gateway"}}
_TEAM = {"name": "search", "tokensPerMinute": 100}
_INSTANCE = {"publisherName": "ML", "publisherEmail": "ml@example.com", "teams": [_TEAM]}


@cases(
    Case(
        "bounds",
        {_GATEWAY: {"minReplicas": 4, "maxReplicas": 3}},
        "inference.gateway.minReplicas",
        "4 proxies at least are more than the 3 at most",
        {_GATEWAY: {"minReplicas": 3, "maxReplicas": 3}},
    ),
    Case(
        "two-issuers",
        {_GATEWAY: {"tlsSecret": "gateway", "acme": {"email": "a@example.com"}}},
        "inference.gateway.acme",
        "has no effect beside tlsSecret: the certificate is yours",
        _OWN,
    ),
    Case(
        "traffic-manager",
        {**_SERVED, **_ENDPOINT},
        "inference.gateway.tlsSecret",
        "is needed with Traffic Manager: an authority that asks for trafficManager.domain reaches any region, not the "
        "one that waits for its certificate",
        {**_SERVED, **_ENDPOINT, **_OWN},
    ),
    Case(
        "private-link",
        {**_SERVED, **_PRIVATE},
        "inference.gateway.tlsSecret",
        "is needed with Private Link: no authority reaches a private gateway to issue its certificate",
        {**_SERVED, **_PRIVATE, **_OWN},
    ),
    Case(
        "elsewhere",
        {_API: {**_INSTANCE, "region": "eastus"}},
        "inference.apiManagement.region",
        "eastus is none of the regions that serve: requests would go through one of no other use",
        {_API: {**_INSTANCE, "region": "swedencentral"}},
    ),
    Case(
        "twice",
        {_API: {**_INSTANCE, "teams": [_TEAM, _TEAM]}},
        "inference.apiManagement.teams[1].name",
        "search stands twice",
        {_API: {**_INSTANCE, "teams": [_TEAM, {**_TEAM, "name": "chat"}]}},
    ),
    Case(
        "one-region",
        {
            _API: _INSTANCE,
            ("inference", "regions", 1): {
                "name": "eastus",
                "pools": [{"name": "nc", "sku": "Standard_NC40ads_H100_v5", "nodes": {"min": 1, "max": 2}}],
            },
        },
        "inference.apiManagement.sku",
        "StandardV2 is in one region alone: when that is lost, nobody reaches the other 1",
        {_API: _INSTANCE},
        severity=Severity.WARNING,
    ),
)
def test_gateways(case: Case) -> None:
    judge(case)

"""The global endpoint: settings of one for another, tiers, and that some region is left in it."""

from __future__ import annotations

from gpufleet.spec import Severity
from tests.spec.environments import Case, cases, changed, judge, verdict

_INFERENCE = ("inference",)
_DOOR = ("inference", "frontDoor")
_MANAGER = ("inference", "trafficManager")
_REGION = ("inference", "regions", 0)
_PREMIUM = "Premium_AzureFrontDoor"
_WAF = {"requestsPerMinute": 600}
_SERVED = {
    "name": "chat",
    "parametersB": 8,
    "precision": "fp8",
    "contextTokens": 8192,
    "demandTokensPerSecond": 100,
    "image": "vllm/vllm-openai@sha256:" + "0" * 64,
    "weights": {"artifact": "models/chat@sha256:" + "1" * 64},
}
_PRIVATE = {"sku": _PREMIUM, "privateLink": True, "originDomain": "gateways.example.com"}
_MODELS = ("inference", "models")
_GATEWAY = ("inference", "gateway")
_TLS = {"tlsSecret": "gateway-tls"}


@cases(
    Case(
        "Private Link on Standard",
        {_DOOR: {**_PRIVATE, "sku": "Standard_AzureFrontDoor"}, (*_MODELS, 0): _SERVED, _GATEWAY: _TLS},
        "inference.frontDoor.privateLink",
        "true is not possible with Standard_AzureFrontDoor: origins by Private Link need the Premium tier",
        {_DOOR: _PRIVATE, (*_MODELS, 0): _SERVED, _GATEWAY: _TLS},
    ),
    Case(
        "Private Link without names",
        {_DOOR: {"sku": _PREMIUM, "privateLink": True}, (*_MODELS, 0): _SERVED, _GATEWAY: _TLS},
        "inference.frontDoor.privateLink",
        "true needs a name for each gateway's certificate: a private gateway gets none from Azure",
        {_DOOR: _PRIVATE, (*_MODELS, 0): _SERVED, _GATEWAY: _TLS},
    ),
    Case(
        "Private Link and nothing served",
        {_DOOR: _PRIVATE},
        "inference.frontDoor.privateLink",
        "true needs models that are served: the Private Link service comes with a region's gateway, and no model has "
        "weights",
        {_DOOR: {"sku": _PREMIUM}},
    ),
    Case(
        "names of private gateways for public ones",
        {_DOOR: {"originDomain": "gateways.example.com"}},
        "inference.frontDoor.originDomain",
        "has no effect without privateLink: public gateways have names of Azure's",
        {_DOOR: {}},
    ),
    Case(
        "managed rules on Standard",
        {_DOOR: {"waf": {**_WAF, "managedRules": True}}},
        "inference.frontDoor.waf.managedRules",
        "true is not possible with Standard_AzureFrontDoor: managed rule sets need the Premium tier",
        {_DOOR: {"sku": _PREMIUM, "waf": {**_WAF, "managedRules": True}}},
    ),
    Case(
        "a domain twice",
        {_DOOR: {"domains": ["chat.example.com", "ai.example.com", "chat.example.com"]}},
        "inference.frontDoor.domains[2]",
        "chat.example.com stands twice",
        {_DOOR: {"domains": ["chat.example.com", "ai.example.com"]}},
    ),
    Case(
        "more domains than the tier holds",
        {_DOOR: {"domains": [f"a{index}.example.com" for index in range(101)]}},
        "inference.frontDoor.domains",
        "101 domains exceed the 100 of a Standard_AzureFrontDoor profile",
        {_DOOR: {"sku": _PREMIUM, "domains": [f"a{index}.example.com" for index in range(200)]}},
    ),
    Case(
        "every region drained",
        {(*_REGION, "drain"): True},
        "inference.regions",
        "all are drained: the global endpoint would have nowhere to send requests",
        {(*_REGION, "drain"): False},
    ),
    Case(
        "Traffic Manager without a name",
        {(*_INFERENCE, "globalEndpoint"): "traffic-manager"},
        "inference.globalEndpoint",
        "traffic-manager needs the name that clients use, for every gateway's certificate must have it",
        {(*_INFERENCE, "globalEndpoint"): "traffic-manager", _MANAGER: {"domain": "chat.example.com"}},
    ),
    Case(
        "Traffic Manager's settings for Front Door",
        {_MANAGER: {"domain": "chat.example.com"}},
        "inference.trafficManager",
        "has no effect: the global endpoint is front-door",
    ),
    Case(
        "Front Door's settings for Traffic Manager",
        {
            (*_INFERENCE, "globalEndpoint"): "traffic-manager",
            _MANAGER: {"domain": "chat.example.com"},
            _DOOR: {"waf": _WAF},
        },
        "inference.frontDoor",
        "has no effect: Traffic Manager answers DNS queries alone, without a firewall, Private Link or a time limit",
    ),
    Case(
        "a check longer than the fast interval takes",
        {
            (*_INFERENCE, "globalEndpoint"): "traffic-manager",
            _MANAGER: {"domain": "chat.example.com", "monitor": {"timeoutSeconds": 10}},
        },
        "inference.trafficManager.monitor.timeoutSeconds",
        "10 s is too long for checks every 10 s",
        {
            (*_INFERENCE, "globalEndpoint"): "traffic-manager",
            _MANAGER: {"domain": "chat.example.com", "monitor": {"intervalSeconds": 30, "timeoutSeconds": 10}},
        },
    ),
)
def test_global_endpoint(case: Case) -> None:
    judge(case)


def test_a_drained_region_is_not_forgotten() -> None:
    pool = {"name": "nc", "sku": "Standard_NC40ads_H100_v5", "nodes": {"min": 1, "max": 2}}
    two = changed({("inference", "regions", 1): {"name": "eastus", "drain": True, "pools": [pool]}})
    said = [(problem.severity, problem.key, problem.message) for problem in verdict(two)]
    message = "eastus gets no requests, and its nodes are paid for"
    assert (Severity.WARNING, "inference.regions[1].drain", message) in said


def test_what_the_models_refuse() -> None:
    said = verdict(
        changed(
            {
                (*_INFERENCE, "globalEndpoint"): "fleet-dns",
                _DOOR: {
                    "originResponseTimeoutSeconds": 241,
                    "additionalLatencyMilliseconds": 1001,
                    "domains": ["Chat.example.com", "*.example.com"],
                    "waf": {"requestsPerMinute": 9, "allowedCountries": ["usa"]},
                },
            }
        )
    )
    host = "a host name in lower case with its domain, such as chat.example.com"
    assert [(problem.key, problem.message) for problem in said] == [
        ("inference.globalEndpoint", 'must be one of front-door, traffic-manager, not the text "fleet-dns"'),
        ("inference.frontDoor.originResponseTimeoutSeconds", "must be at most 240, not 241"),
        ("inference.frontDoor.additionalLatencyMilliseconds", "must be at most 1000, not 1001"),
        ("inference.frontDoor.domains[0]", f'the text "Chat.example.com" is not {host}'),
        ("inference.frontDoor.domains[1]", f'the text "*.example.com" is not {host}'),
        ("inference.frontDoor.waf.requestsPerMinute", "must be at least 10, not 9"),
        (
            "inference.frontDoor.waf.allowedCountries[0]",
            'the text "usa" is not a country by its ISO 3166-1 alpha-2 code, such as US',
        ),
    ]

"""InferencePlatform, InferenceRegion, GlobalFrontDoor and ContainerRegistry."""

from __future__ import annotations

from tests.components.graphs import build, stack_graph
from tests.spec.environments import changed

FRONT_DOOR = ("inference", "frontDoor")
_REGISTRY = ("sku", "dataEndpointEnabled", "adminUserEnabled", "anonymousPullEnabled", "location")


def test_all_regions_are_origins_of_one_group() -> None:
    graph = stack_graph("prod")
    group = graph.one("cdn:AFDOriginGroup")
    origins = graph.of("cdn:AFDOrigin")
    assert {origin.inputs["originName"] for origin in origins} == {"eastus", "swedencentral", "japaneast"}
    assert {origin.inputs["originGroupName"] for origin in origins} == {group.inputs["originGroupName"]}
    for origin in origins:
        label = graph.one("network:PublicIPAddress", f"{origin.inputs['originName']}-pip-gateway").inputs
        host = f"{label['dnsSettings']['domainNameLabel']}.{origin.inputs['originName']}.cloudapp.azure.com"
        assert (origin.inputs["hostName"], origin.inputs["originHostHeader"]) == (host, host)
        assert (origin.inputs["httpPort"], origin.inputs["httpsPort"]) == (80, 443)
        assert (origin.inputs["priority"], origin.inputs["weight"]) == (1, 1000)
        assert origin.inputs["enforceCertificateNameCheck"] is True


def test_origin_group() -> None:
    group = stack_graph("prod").one("cdn:AFDOriginGroup").inputs
    assert group["sessionAffinityState"] == "Disabled"
    assert group["healthProbeSettings"] == {
        "probePath": "/health",
        "probeIntervalInSeconds": 30,
        "probeProtocol": "Https",
        "probeRequestType": "GET",
    }
    assert group["loadBalancingSettings"] == {
        "sampleSize": 4,
        "successfulSamplesRequired": 3,
        "additionalLatencyInMilliseconds": 50,
    }


def test_the_route_waits_for_every_origin() -> None:
    graph = stack_graph("prod")
    route = graph.one("cdn:Route")
    origins = {origin.urn for origin in graph.of("cdn:AFDOrigin")}
    assert origins <= set(route.dependencies)
    assert {key: route.inputs[key] for key in ("patternsToMatch", "supportedProtocols", "httpsRedirect")} == {
        "patternsToMatch": ["/*"],
        "supportedProtocols": ["Http", "Https"],
        "httpsRedirect": "Enabled",
    }
    assert (route.inputs["forwardingProtocol"], route.inputs["linkToDefaultDomain"]) == ("HttpsOnly", "Enabled")


def test_profile_and_its_fate() -> None:
    graph = stack_graph("prod")
    profile = graph.one("cdn:Profile")
    assert profile.inputs["originResponseTimeoutSeconds"] == 240
    assert (profile.inputs["sku"], profile.inputs["location"]) == ({"name": "Standard_AzureFrontDoor"}, "Global")
    inside = [r for type_ in ("AFDEndpoint", "AFDOriginGroup", "AFDOrigin", "Route") for r in graph.of(f"cdn:{type_}")]
    assert {r.deleted_with for r in inside} == {profile.urn}


def test_stated_probe_priority_and_weight() -> None:
    graph = build(changed({
        FRONT_DOOR: {"healthProbe": {"path": "/ready", "intervalSeconds": 5}, "originResponseTimeoutSeconds": 60},
        ("inference", "regions", 0, "priority"): 2,
        ("inference", "regions", 0, "weight"): 10,
    }))  # fmt: skip
    assert graph.one("cdn:AFDOriginGroup").inputs["healthProbeSettings"]["probePath"] == "/ready"
    assert graph.one("cdn:Profile").inputs["originResponseTimeoutSeconds"] == 60
    origin = graph.one("cdn:AFDOrigin").inputs
    assert (origin["priority"], origin["weight"]) == (2, 10)


def test_gateway_address_keeps_its_name() -> None:
    address = stack_graph("dev").one("network:PublicIPAddress", "eastus-pip-gateway").inputs
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["sku"] == {"name": "Standard", "tier": "Regional"}
    assert address["dnsSettings"]["domainNameLabel"].startswith("gw-dev-eastus-")


def test_registry_is_closed_and_replicated_to_every_further_region() -> None:
    graph = stack_graph("prod")
    registry = graph.one("containerregistry:Registry").inputs
    assert {key: registry[key] for key in _REGISTRY} == {
        "sku": {"name": "Premium"},
        "dataEndpointEnabled": True,
        "adminUserEnabled": False,
        "anonymousPullEnabled": False,
        "location": "eastus",
    }
    replicas = graph.of("containerregistry:Replication")
    assert {r.inputs["location"] for r in replicas} == {"swedencentral", "japaneast"}


def test_one_region_needs_no_replica() -> None:
    assert stack_graph("dev").of("containerregistry:Replication") == []


def test_a_region_may_have_images_before_it_has_a_cluster() -> None:
    serving = changed({("registry", "regions"): ["eastus", "swedencentral", "westus3"]})
    more = build(changed({("allowedRegions",): ["eastus", "swedencentral", "westus3"]}, serving))
    assert [one.inputs["location"] for one in more.of("containerregistry:Replication")] == ["swedencentral", "westus3"]

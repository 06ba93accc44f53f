from __future__ import annotations

import itertools
from typing import Any

from tests.components.graphs import Graph, build, stack_graph
from tests.spec.environments import changed


def _subnet(graph: Graph, name: str) -> dict[str, Any]:
    return graph.one("network:Subnet", name).inputs


def test_the_network_has_no_inline_subnets() -> None:
    vnet = stack_graph("dev").one("network:VirtualNetwork", "lab-network-vnet").inputs
    assert vnet["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert "subnets" not in vnet


def test_subnets() -> None:
    graph = stack_graph("dev")
    common = {
        "resourceGroupName": "rg-dev-lab",
        "virtualNetworkName": "vnet-dev-lab",
        "privateLinkServiceNetworkPolicies": "Enabled",  # the SDK's default
    }
    assert _subnet(graph, "lab-network-snet-system") == {
        **common,
        "subnetName": "snet-system",
        "addressPrefix": "10.0.64.0/20",
        "networkSecurityGroup": {"id": "lab-network-nsg-nodes-id"},
        "natGateway": {"id": "lab-network-ng-id"},
        "defaultOutboundAccess": False,
        "privateEndpointNetworkPolicies": "Disabled",
    }
    assert _subnet(graph, "lab-network-snet-gpu")["natGateway"] == {"id": "lab-network-ng-id"}
    lustre = _subnet(graph, "lab-network-snet-lustre")
    assert lustre["networkSecurityGroup"] == {"id": "lab-network-nsg-lustre-id"}
    assert lustre["defaultOutboundAccess"] is True
    assert "natGateway" not in lustre
    endpoints = _subnet(graph, "lab-network-snet-privateendpoints")
    assert endpoints["privateEndpointNetworkPolicies"] == "NetworkSecurityGroupEnabled"
    assert endpoints["networkSecurityGroup"] == {"id": "lab-network-nsg-privateendpoints-id"}


def test_subnets_are_made_one_after_the_other() -> None:
    graph = stack_graph("dev")
    order = ["lustre", "system", "gpu", "privateendpoints"]
    for before, after in itertools.pairwise(order):
        dependencies = graph.one("network:Subnet", f"lab-network-snet-{after}").dependencies
        assert f"lab-network-snet-{before}" in [graph.named(urn) for urn in dependencies]


def test_stated_networks_are_taken() -> None:
    network = {
        "vnetCidr": "10.9.0.0/16",
        "subnets": {
            "system": "10.9.0.0/24",
            "gpu": "10.9.4.0/22",
            "lustre": "10.9.8.0/24",
            "privateEndpoints": "10.9.9.0/26",
        },
        "natPublicIps": 3,
    }
    graph = build(changed({("training", 0, "network"): network}))
    prefixes = {r.name: r.inputs["addressPrefix"] for r in graph.of("network:Subnet") if r.name.startswith("lab-")}
    assert prefixes == {
        "lab-network-snet-system": "10.9.0.0/24",
        "lab-network-snet-gpu": "10.9.4.0/22",
        "lab-network-snet-lustre": "10.9.8.0/24",
        "lab-network-snet-privateendpoints": "10.9.9.0/26",
    }
    assert len([r for r in graph.of("network:PublicIPAddress") if r.name.startswith("lab-network-pip-nat-")]) == 3


def test_lustre_security_rules() -> None:
    rules = stack_graph("dev").one("network:NetworkSecurityGroup", "lab-network-nsg-lustre").inputs["securityRules"]
    assert [(r["name"], r["direction"], r["protocol"], r["destinationPortRanges"]) for r in rules] == [
        ("AllowLustreInbound", "Inbound", "Tcp", ["988", "1019-1023"]),
        ("AllowLustreOutbound", "Outbound", "Tcp", ["988", "1019-1023"]),
        ("AllowAzureCloudOutbound", "Outbound", "*", ["*"]),
    ]
    assert [(r["sourceAddressPrefix"], r["destinationAddressPrefix"]) for r in rules] == [
        ("VirtualNetwork", "VirtualNetwork"),
        ("VirtualNetwork", "VirtualNetwork"),
        ("VirtualNetwork", "AzureCloud"),
    ]
    assert [r["priority"] for r in rules] == [100, 110, 120]


def test_only_inference_regions_let_front_door_in() -> None:
    graph = stack_graph("dev")
    training = graph.one("network:NetworkSecurityGroup", "lab-network-nsg-nodes").inputs
    serving = graph.one("network:NetworkSecurityGroup", "eastus-network-nsg-nodes").inputs
    assert training.get("securityRules", []) == []
    assert [(r["sourceAddressPrefix"], r["destinationPortRanges"]) for r in serving["securityRules"]] == [
        ("AzureFrontDoor.Backend", ["443"])
    ]


def test_nat_addresses_are_static_and_zoneless_when_pools_are() -> None:
    graph = stack_graph("dev")
    gateway = graph.one("network:NatGateway", "lab-network-ng").inputs
    address = graph.one("network:PublicIPAddress", "lab-network-pip-nat-1").inputs
    assert gateway["publicIpAddresses"] == [{"id": f"lab-network-pip-nat-{number}-id"} for number in (1, 2)]
    assert address["sku"] == {"name": "Standard", "tier": "Regional"}
    assert address["publicIPAllocationMethod"] == "Static"
    assert ("zones" in gateway, "zones" in address) == (False, False)


def test_nat_and_its_addresses_share_the_stated_zone() -> None:
    graph = build(changed({("training", 0, "network"): {"natZone": "2"}}))
    assert graph.one("network:NatGateway", "lab-network-ng").inputs["zones"] == ["2"]
    assert graph.one("network:PublicIPAddress", "lab-network-pip-nat-1").inputs["zones"] == ["2"]


def test_zones_of_pools_say_nothing_of_the_nat_gateway_for_its_addresses_can_never_move() -> None:
    pools = ("training", 0, "pools")
    graph = build(changed({(*pools, 0, "zones"): ["2"], (*pools, 1, "zones"): ["2"]}))
    assert "zones" not in graph.one("network:NatGateway", "lab-network-ng").inputs

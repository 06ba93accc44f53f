"""GlobalFrontDoor, WebApplicationFirewall and TrafficManager: origins last, one kind a group, and the golden bodies."""

from __future__ import annotations

import pytest

from tests.components.front import CASES, GOLDEN, after, bodies, documents, graph


def test_the_written_bodies_are_current() -> None:
    text = "run python -m tests.components.write_front_golden"
    assert {path.name: path.read_text() for path in GOLDEN.iterdir()} == documents(), text


def test_a_drained_region_is_a_disabled_origin_that_waits_for_nothing_in_its_region() -> None:
    name = "test-inference-front-door-origin-swedencentral"
    assert bodies("drained")[name]["properties"]["enabledState"] == "Disabled"
    waits = [one for one in after("drained", name) if one.startswith("swedencentral-")]
    assert waits == ["swedencentral-pip-gateway"]


def test_an_origin_comes_after_what_answers_and_the_route_after_all_origins() -> None:
    route = after("private", "test-inference-front-door-route")
    for region, other in (("eastus", "westus2"), ("westus2", "eastus")):
        origin = f"test-inference-front-door-origin-{region}-private"
        assert origin in route
        waits = after("private", origin)
        assert [name for name in waits if name.startswith(f"{region}-gateway")]
        assert not [name for name in waits if name.startswith(other)]


def test_private_gateways_have_no_public_address_and_let_nobody_in_from_outside() -> None:
    private = graph("private")
    assert not [one.name for one in private.of("network:PublicIPAddress") if one.name.endswith("-pip-gateway")]
    for region in ("eastus", "westus2"):
        assert private.one("network:NetworkSecurityGroup", f"{region}-network-nsg-nodes").inputs["securityRules"] == []
        subnet = private.one("network:Subnet", f"{region}-network-snet-system").inputs
        assert subnet["privateLinkServiceNetworkPolicies"] == "Disabled"


def test_front_door_has_its_private_endpoint_where_it_can() -> None:
    found = bodies("private")
    links = {
        region: found[f"test-inference-front-door-origin-{region}-private"]["properties"]["sharedPrivateLinkResource"]
        for region in ("eastus", "westus2")
    }
    assert {region: link["privateLinkLocation"] for region, link in links.items()} == {
        "eastus": "eastus",
        "westus2": "centralus",
    }
    assert links["eastus"]["privateLink"]["id"].endswith(
        "/resourceGroups/rg-test-eastus/providers/Microsoft.Network/privateLinkServices/pls-test-eastus-gateway"
    )
    assert "groupId" not in links["eastus"]


@pytest.mark.parametrize(
    ("case", "rules"),
    [
        ("standard", [("AllowFrontDoorInbound", "AzureFrontDoor.Backend", ["443"])]),
        ("traffic-manager", [("AllowInternetInbound", "Internet", ["443"])]),
    ],
)
def test_who_reaches_a_gateway(case: str, rules: list[tuple[str, str, list[str]]]) -> None:
    group = graph(case).one("network:NetworkSecurityGroup", "eastus-network-nsg-nodes").inputs
    found = [
        (rule["name"], rule["sourceAddressPrefix"], rule["destinationPortRanges"]) for rule in group["securityRules"]
    ]
    assert found == rules


def test_what_the_owner_of_a_domain_has_to_enter() -> None:
    assert graph("standard").outputs["dnsRecords"] == {
        "chat.example.com": {
            "_dnsauth.chat.example.com TXT": "token",
            "chat.example.com CNAME": "fde-test-1.z01.azurefd.net",
        }
    }
    traffic = graph("traffic-manager").outputs
    assert list(traffic["dnsRecords"]["chat.example.com"]) == ["chat.example.com CNAME"]
    assert traffic["endpointUrl"] == "https://chat.example.com"


def test_who_approves_a_private_connection_is_told_how() -> None:
    approvals = graph("private").outputs["privateLinkApprovals"]
    assert list(approvals) == ["eastus", "westus2"]
    service = bodies("private")["test-inference-front-door-origin-eastus-private"]["properties"]
    link = service["sharedPrivateLinkResource"]
    assert link["requestMessage"] == "afd-test test-inference-front-door-afd-guid"
    assert link["privateLink"]["id"] in approvals["eastus"]
    assert f"description=='{link['requestMessage']}'" in approvals["eastus"]
    assert graph("standard").outputs["privateLinkApprovals"] == {}


def test_traffic_manager_nests_a_profile_for_each_priority() -> None:
    found = {
        name: body["properties"] for name, body in bodies("traffic-manager").items() if body["type"].endswith("Profile")
    }
    methods = {
        name.removeprefix("test-inference-traffic-manager"): body["trafficRoutingMethod"]
        for name, body in found.items()
    }
    assert methods == {"-traf": "Priority", "-1-traf": "Performance", "-2-traf": "Performance"}


def test_every_case_has_its_golden_file() -> None:
    assert {f"{case}.yaml" for case in CASES} == {path.name for path in GOLDEN.iterdir()}

"""The whole graph of every committed stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pytest

from tests.components.graphs import ROOT, STACKS, Graph, build, stack_graph
from tests.spec.environments import environment

GOLDEN = ROOT / "tests" / "components" / "golden"

# Azure resources that have no tags: children, links and settings.
UNTAGGED = {
    "authorization:RoleAssignment", "cdn:AFDOrigin", "cdn:AFDOriginGroup", "cdn:Route", "cdn:SecurityPolicy",
    "consumption:Budget", "containerservice:MaintenanceConfiguration", "managedidentity:FederatedIdentityCredential",
    "monitor:DataCollectionRuleAssociation", "monitor:DiagnosticSetting", "network:PrivateDnsZoneGroup",
    "network:Subnet", "storage:BlobContainer", "storage:BlobServiceProperties",
}  # fmt: skip

# Inputs that are maps of names the user chooses, where the SDK has no Args type.
FREE_MAPS = {
    "tags", "node_labels", "notifications", "identity_profile",  # azure-native
    "values", "data", "spec", "metadata",  # Helm values, ConfigMap data, custom resources
}  # fmt: skip


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return stack_graph(request.param)


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_by_type_and_name(stack: str) -> None:
    """A changed list is a changed product: write it with `python -m tests.components.write_golden`, read the diff."""
    expected = (GOLDEN / f"{stack}.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(f"{r.type} {r.name}" for r in stack_graph(stack).resources) == expected


def test_frontier_is_125_infiniband_domains_of_100_nodes() -> None:
    pools = [pool for pool in stack_graph("frontier").of("containerservice:AgentPool") if "gpuProfile" in pool.inputs]
    assert [pool.inputs["count"] for pool in pools] == [100] * 125
    assert len({pool.inputs["nodeLabels"]["gpufleet.io/infiniband-domain"] for pool in pools}) == 125


def test_preview_and_up_register_the_same() -> None:
    up, preview = build(environment()), build(environment(), preview=True)
    assert [(r.type, r.name, r.inputs) for r in preview.resources] == [(r.type, r.name, r.inputs) for r in up.resources]


def test_two_runs_register_the_same() -> None:
    first, second = build(environment()), build(environment())
    assert first.resources == second.resources
    assert first.outputs == second.outputs


def test_everything_hangs_under_a_component(graph: Graph) -> None:
    components = {r.urn for r in graph.resources if not r.custom}
    environment_component = graph.one("environment:Environment")
    assert [r.name for r in graph.resources if r.parent not in components] == [environment_component.name]


def test_children_are_named_after_their_component(graph: Graph) -> None:
    names = {r.urn: r.name for r in graph.resources}
    # A pool's AKS name starts with the pool's name, and a fabric or region starts a new name.
    starts = {"training:TrainingFabric", "inference:InferenceRegion", "containerservice:AgentPool"}
    for resource in graph.resources:
        if resource.parent in names and not any(resource.type.endswith(start) for start in starts):
            assert resource.name.startswith(f"{names[resource.parent]}-") or resource.parent.split("::")[-1] == "test"


def test_every_component_registers_its_outputs_once(graph: Graph) -> None:
    components = [r.urn for r in graph.resources if not r.custom]
    assert {urn: graph.component_outputs[urn] for urn in components} == dict.fromkeys(components, 1)


def test_everything_taggable_is_tagged(graph: Graph) -> None:
    for resource in graph.resources:
        if resource.type.startswith("azure-native:"):
            tagged = {"owner", "cost-center", "environment", "class", "managed-by"} <= set(
                resource.inputs.get("tags", {})
            )
            assert tagged is (resource.type.removeprefix("azure-native:") not in UNTAGGED), resource.type


def test_location_is_always_said(graph: Graph) -> None:
    """Left out, azure-native takes the resource group's, or a default region (pulumi-azure-native#215)."""
    without = {r.type.removeprefix("azure-native:") for r in graph.resources if r.type.startswith("azure-native:")}
    without -= {r.type.removeprefix("azure-native:") for r in graph.resources if "location" in r.inputs}
    assert without == (UNTAGGED | {"containerservice:AgentPool"}) & without


def test_no_nested_dict_stands_where_an_args_type_exists() -> None:
    found: set[tuple[str, str]] = set()

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        if not args.type_.startswith(("gpufleet:", "pulumi:pulumi")):
            found.update((args.type_, key) for key, value in args.props.items() if _has_dict(value))

    build(environment(), transformation=look)
    assert {key for _, key in found} <= FREE_MAPS


def _has_dict(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, Sequence) and not isinstance(value, str) and any(_has_dict(item) for item in value)


def test_outputs_hold_what_a_person_needs_next() -> None:
    assert stack_graph("dev").outputs == {
        "clusters": {
            "eastus": {
                "name": "aks-dev-eastus",
                "resourceGroup": "rg-dev-eastus",
                "region": "eastus",
                "pools": {"t4": ["t48w"], "t4spot": ["t4spotoj"]},
                "getCredentials": "az aks get-credentials --resource-group rg-dev-eastus --name aks-dev-eastus"
                " && kubelogin convert-kubeconfig --login azurecli",
            },
            "lab": {
                "name": "aks-dev-lab",
                "resourceGroup": "rg-dev-lab",
                "region": "eastus",
                "pools": {"data": ["datagl"], "h100": ["h10001zb"]},
                "getCredentials": "az aks get-credentials --resource-group rg-dev-lab --name aks-dev-lab"
                " && kubelogin convert-kubeconfig --login azurecli",
            },
        },
        "registryLoginServer": "crdev3d8e1a1a.azurecr.io",
        "budgetName": "bud-dev",
        "endpointUrl": "https://fde-dev-1.z01.azurefd.net",
        "dnsRecords": {},
        "privateLinkApprovals": {},
        "lustreMountAddresses": {"lab": "10.0.8.4"},
        "storageAccounts": {"lab": "stdevlab5ba60ee8"},
    }


def test_an_environment_without_inference_has_no_front_door() -> None:
    value = {key: part for key, part in environment().items() if key != "inference"}
    graph = build(value)
    assert graph.outputs["endpointUrl"] is None
    assert graph.of("cdn:Profile") == []

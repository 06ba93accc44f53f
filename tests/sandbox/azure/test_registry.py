from __future__ import annotations

from collections.abc import Mapping

import pytest

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.model import ResourceType
from sandbox.contract import Contract, ContractBook
from sandbox.contract.model import Array, Map, ObjectShape, Reference, Shape
from sandbox.errors import NotEmulatedError
from sandbox.values import Properties
from tests.sandbox.azure.world import World
from tests.sandbox.conftest import Azure

INPUTS: Properties = {
    "resourceGroupName": "rg",
    "resourceName": "aks",
    "location": "eastus",
    "dnsPrefix": "aks",
    "identity": {"type": "SystemAssigned"},
}
KINDS = list(registry.types().values())


def ids(kind: ResourceType) -> str:
    return kind.pulumi_type.partition(":")[2]


def resolve(contract: Contract, shape: ObjectShape, path: str) -> Shape | None:
    """The shape at a path such as `a[].b`, or None when there is none."""
    found: Shape | None = None
    properties: Mapping[str, Shape] = shape.properties
    for step in path.split("."):
        name = step.removesuffix("[]")
        found = properties.get(name)
        if step.endswith("[]") and isinstance(found, Array):
            found = found.item
        if isinstance(found, Reference):
            properties = contract.types[found.name].properties
        elif isinstance(found, Map):
            return found
        else:
            properties = {}
    return found


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_every_entry_agrees_with_the_sdk(kind: ResourceType, azure_book: ContractBook) -> None:
    contract = azure_book.get(kind.pulumi_type)
    inputs, outputs = contract.inputs, contract.outputs
    assert contract.api_version
    assert [name for name in kind.path_parameters if name not in inputs.properties] == []
    assert [name for name in kind.names if name not in inputs.properties] == []
    assert [path for path in (*kind.replace_on, *kind.immutable) if resolve(contract, inputs, path) is None] == []
    assert [name for name in kind.write_only if name not in inputs.properties] == []
    assert [name for name in kind.defaults if name not in outputs.properties] == []
    assert [name for name in kind.lists if name not in outputs.properties] == []
    assert [name for name in kind.secret_outputs if name not in outputs.properties] == []
    for name, defaults in kind.nested_defaults.items():
        assert [key for key in defaults if resolve(contract, outputs, f"{name}.{key}") is None] == []


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_required_properties_of_the_sdk_are_in_the_path_or_the_body(
    kind: ResourceType, azure_book: ContractBook
) -> None:
    # A path parameter that the SDK does not ask for is the name; everything else in the path must be required.
    contract = azure_book.get(kind.pulumi_type)
    optional = [name for name in kind.path_parameters if name not in contract.inputs.required]
    assert optional == (
        [] if kind.autoname is None and kind.name_parameter in contract.inputs.required else [kind.name_parameter]
    )


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_ids_are_read_back(kind: ResourceType) -> None:
    names = {name: f"x{index}" for index, name in enumerate(arm.parameters(kind.path))}
    for name in ("scope", "resourceUri"):
        if name in names:
            names[name] = "subscriptions/s/resourceGroups/rg/providers/Microsoft.X/ys/y"
    for name in arm.parameters(arm.type_of(kind.path)):
        names[name] = kind.type_names[0]
    resource_id = arm.format_id(kind.path, names)
    assert resource_id.startswith("/subscriptions/")
    assert arm.parse_id(kind.path, resource_id.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")) is not None
    assert {key: value.strip("/") for key, value in (arm.parse_id(kind.path, resource_id) or {}).items()} == names
    assert arm.type_of(resource_id) == kind.arm_type


def test_unknown_type_is_refused_by_name_and_says_how_to_add_it() -> None:
    with pytest.raises(NotEmulatedError) as error:
        registry.by_token("azure-native:network:ExpressRouteCircuit")
    assert str(error.value) == (
        "the sandbox does not emulate 'azure-native:network:ExpressRouteCircuit'; "
        "a resource type is one entry in sandbox/azure/network.py (docs/sandbox.md)"
    )


def test_unknown_namespace_asks_for_a_module() -> None:
    with pytest.raises(NotEmulatedError, match=r"a new module sandbox/azure/keyvault\.py"):
        registry.by_token("azure-native:keyvault:Vault")


def test_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(NotEmulatedError, match="does not emulate the function 'azure-native:compute:listSkus'"):
        registry.invoke("azure-native:compute:listSkus")


def test_types_are_found_by_their_arm_type_in_any_case() -> None:
    found = registry.by_arm_type("microsoft.containerservice/MANAGEDCLUSTERS/agentpools")
    assert found is not None
    assert found.pulumi_type == "azure-native:containerservice:AgentPool"


def test_a_network_shows_its_separate_subnets_and_a_cluster_its_separate_pools(azure: Azure) -> None:
    world = World(azure)
    world.make("subnet", "small", "pool")
    network = registry.invoke("azure-native:network:getVirtualNetwork")
    cluster = registry.invoke("azure-native:containerservice:getManagedCluster")
    shown = network(azure.manager, {"resourceGroupName": "rg", "virtualNetworkName": "vnet"})
    assert [(subnet["name"], subnet["addressPrefix"]) for subnet in shown["subnets"]] == [
        ("nodes", "10.0.0.0/20"),
        ("small", "10.0.16.0/29"),
    ]
    assert azure.manager.require(world.ids["vnet"]).outputs["subnets"] == []
    pools = cluster(azure.manager, {"resourceGroupName": "rg", "resourceName": "aks"})["agentPoolProfiles"]
    assert [(pool["name"], pool["vmSize"]) for pool in pools] == [
        ("system", "Standard_D4s_v5"),
        ("h100", "Standard_ND96isr_H100_v5"),
    ]


def test_an_inline_pool_that_the_program_forgets_runs_on(azure: Azure) -> None:
    profile = {"mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
    azure.group()
    cluster = azure.cluster(agentPoolProfiles=[{**profile, "name": "a"}, {**profile, "name": "b"}])
    inputs = {**INPUTS, "agentPoolProfiles": [{**profile, "name": "a"}]}
    changed = azure.update(cluster, **inputs)
    assert [pool["name"] for pool in changed.outputs["agentPoolProfiles"]] == ["a", "b"]

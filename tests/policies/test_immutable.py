"""What can't change: the data agrees with the sandbox's contract, and two declarations with themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.graph import SECRET, UNKNOWN, Node
from gpufleet.graph.model import Hidden, Value
from policies.immutable import DATA, FIXED, changes
from policies.reading import Properties, UndecidedError
from sandbox.azure import registry

LUSTRE = "azure-native:storagecache:AmlFilesystem"
POOL = "azure-native:containerservice:AgentPool"
SUBNET = ("urn:pulumi:lab::gpufleet::azure-native:network:Subnet::lustre",)


def node(
    type_: str = LUSTRE, sources: tuple[str, ...] = (), property_: str = "filesystemSubnet", **given: Value
) -> Node:
    """A resource with these properties; `property_` is made from `sources`."""
    return Node(
        urn=f"urn:pulumi:lab::gpufleet::{type_}::one",
        type=type_,
        name="one",
        parent="",
        custom=True,
        properties=given,
        property_dependencies={property_: sources} if sources else {},
    )


def differences(old: Node, new: Node) -> list[str]:
    """The properties that change, by path."""
    found = changes(old.type, (old, Properties(old.properties)), (new, Properties(new.properties)))
    return [path for path, _, _ in found]


@pytest.mark.parametrize("type_", FIXED)
def test_the_sandbox_holds_nothing_fixed_that_the_table_leaves_out(type_: str) -> None:
    kind = registry.types()[type_]
    parameters = {part.strip("{}") for part in kind.path.split("/") if part.startswith("{")} - {"subscriptionId"}
    fixed = {*kind.replace_on, *kind.immutable, *parameters}
    assert fixed - set(FIXED[type_].fields) == set()


@pytest.mark.parametrize("type_", FIXED)
def test_what_the_table_has_beyond_the_sandbox_is_managed_gpu_nodes_alone(type_: str) -> None:
    """Their properties are in preview versions of the API, which the SDK's default version is not."""
    kind = registry.types()[type_]
    parameters = {part.strip("{}") for part in kind.path.split("/") if part.startswith("{")}
    beyond = set(FIXED[type_].fields) - {*kind.replace_on, *kind.immutable, *parameters}
    preview = {"gpuProfile.nvidia.managementMode", "gpuProfile.nvidia.migStrategy"}
    # The sandbox refuses a change of these with AKS's own code (sandbox/azure/aks_rules.py: node_configuration_stays).
    own_code = {"kubeletConfig", "linuxOSConfig"}
    assert beyond == (preview | own_code if type_ == POOL else set())


def test_what_holds_data() -> None:
    assert {type_.rpartition(":")[2] for type_ in DATA} == {
        "AmlFilesystem",
        "BlobContainer",
        "Registry",
        "StorageAccount",
    }


def test_defaults_are_of_fields_in_the_table() -> None:
    assert [
        (type_, path) for type_, fixed in FIXED.items() for path in fixed.defaults if path not in fixed.fields
    ] == []


def test_nothing_changes_between_a_declaration_and_itself() -> None:
    one = node(sources=SUBNET, filesystemSubnet=UNKNOWN, sku={"name": "a"}, zones=["1"], storageCapacityTiB=16)
    assert differences(one, one) == []


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({"storageCapacityTiB": 16}, {"storageCapacityTiB": 16.0}, []),
        ({"storageCapacityTiB": 16}, {"storageCapacityTiB": 24}, ["storageCapacityTiB"]),
        ({"zones": ["1"]}, {"zones": ["2"]}, ["zones"]),
        ({"zones": ["1"]}, {"zones": ["1", "2"]}, ["zones"]),
        ({"zones": []}, {}, []),
        ({"zones": ["1"]}, {}, ["zones"]),
        ({"location": "West US"}, {"location": "westus"}, []),
        ({"location": "westus"}, {"location": "westus2"}, ["location"]),
        ({"sku": {"name": "a"}}, {"sku": {"name": "b"}}, ["sku"]),
        ({"hsm": None}, {"hsm": {"settings": {"container": "c"}}}, ["hsm"]),
        ({"maintenanceWindow": {"dayOfWeek": "Sunday"}}, {"maintenanceWindow": {"dayOfWeek": "Monday"}}, []),
    ],
)
def test_what_changes(old: dict[str, Any], new: dict[str, Any], changed: list[str]) -> None:
    assert differences(node(**old), node(**new)) == changed


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({}, {"gpuProfile": {"driver": "Install"}}, []),
        ({}, {"gpuProfile": {"driver": "None"}}, ["gpuProfile.driver"]),
        ({"scaleSetPriority": "Regular"}, {}, []),
        ({"scaleSetPriority": "Spot"}, {}, ["scaleSetPriority"]),
        ({"maxCount": 4}, {"maxCount": 8}, []),
    ],
)
def test_a_default_that_is_stated_is_no_change(old: dict[str, Any], new: dict[str, Any], changed: list[str]) -> None:
    assert differences(node(POOL, **old), node(POOL, **new)) == changed


def test_an_unknown_value_of_the_same_source_is_the_same() -> None:
    known = node(sources=SUBNET, filesystemSubnet="/subscriptions/s/subnets/lustre")
    assert differences(known, replace(known, properties={"filesystemSubnet": UNKNOWN})) == []


@pytest.mark.parametrize("hidden", [UNKNOWN, SECRET])
@pytest.mark.parametrize("sources", [(), ("urn:pulumi:lab::gpufleet::azure-native:network:Subnet::other",)])
def test_an_unknown_value_of_another_source_may_be_another(hidden: Hidden, sources: tuple[str, ...]) -> None:
    known = node(sources=SUBNET, filesystemSubnet="/subscriptions/s/subnets/lustre")
    with pytest.raises(UndecidedError, match="whether filesystemSubnet changes"):
        differences(known, node(sources=sources, filesystemSubnet=hidden))


def test_what_is_known_to_change_comes_before_what_nobody_knows() -> None:
    found = changes(
        LUSTRE,
        (one := node(filesystemSubnet="a", zones=["1"]), Properties(one.properties)),
        (other := node(filesystemSubnet=UNKNOWN, zones=["2"]), Properties(other.properties)),
    )
    assert next(found) == ("zones", ["1"], ["2"])
    with pytest.raises(UndecidedError):
        next(found)


def test_a_difference_beside_an_unknown_part_is_one() -> None:
    old = node(identity={"type": "UserAssigned", "userAssignedIdentities": [UNKNOWN]})
    new = node(identity={"type": "None", "userAssignedIdentities": [UNKNOWN]})
    assert differences(old, new) == ["identity"]

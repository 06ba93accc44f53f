from __future__ import annotations

import json
from typing import Any

import pytest

from gpufleet.errors import ConfigurationError
from gpufleet.graph import SECRET, UNKNOWN, state

STACK = "urn:pulumi:dev::gpufleet::pulumi:pulumi:Stack::gpufleet-dev"
DEFAULT = "urn:pulumi:dev::gpufleet::pulumi:providers:azure-native::default_3_29_0"
OWN = "urn:pulumi:dev::gpufleet::gpufleet:cluster:GpuCluster$pulumi:providers:kubernetes::lab"
GROUP = "urn:pulumi:dev::gpufleet::azure-native:resources:ResourceGroup::lab-rg"
POOL = "urn:pulumi:dev::gpufleet::azure-native:containerservice:AgentPool::lab-h100"
POOL_TYPE = "azure-native:containerservice:AgentPool"
SIGNATURE = "4dabf18193072939515e22adb298388d"

RESOURCES: list[dict[str, Any]] = [
    {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False},
    {"urn": DEFAULT, "type": "pulumi:providers:azure-native", "custom": True, "id": "1"},
    {
        "urn": POOL,
        "type": POOL_TYPE,
        "custom": True,
        "parent": STACK,
        "provider": f"{DEFAULT}::0af5-1",
        "inputs": {
            "__defaults": [],
            "azureApiVersion": "2025-09-01",
            "count": 2.0,
            "key": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"},
            "nothing": None,
            "profile": {"__defaults": [], "mark": "[secret]"},
            "resourceGroupName": "rg",
        },
        "propertyDependencies": {"count": [], "key": None, "nothing": [], "profile": [], "resourceGroupName": [GROUP]},
        "dependencies": [GROUP, DEFAULT],
        "protect": True,
        "retainOnDelete": True,
        "deletedWith": GROUP,
    },
    {"urn": POOL, "type": POOL_TYPE, "custom": True, "delete": True, "inputs": {"count": 1}},
]


def exported(resources: object) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def test_an_exported_state() -> None:
    graph = state.read(exported(RESOURCES))
    assert [node.urn for node in graph] == [POOL, STACK]
    pool = graph.node(POOL)
    assert pool.properties == {
        "count": 2,
        "key": SECRET,
        "profile": {"mark": "[secret]"},  # in a state it is what somebody wrote
        "resourceGroupName": "rg",
    }
    assert (pool.name, pool.type, pool.parent, pool.custom) == ("lab-h100", POOL_TYPE, STACK, True)
    assert pool.dependencies == tuple(sorted((GROUP, DEFAULT)))
    assert pool.property_dependencies == {"resourceGroupName": (GROUP,)}
    assert (pool.provider, pool.protect, pool.retain_on_delete, pool.deleted_with) == ("", True, True, GROUP)


def test_an_explicit_provider_keeps_its_urn() -> None:
    resource = {**RESOURCES[2], "provider": f"{OWN}::0af5-1"}
    assert state.read(exported([resource])).node(POOL).provider == OWN


def test_an_imported_resource_without_dependencies_keeps_its_inputs() -> None:
    resource = {"urn": POOL, "type": POOL_TYPE, "custom": True, "inputs": {"count": 1, "mode": "User"}}
    assert state.read(exported([resource])).node(POOL).properties == {"count": 1, "mode": "User"}


@pytest.mark.parametrize("nothing", [exported([]), exported(None), '{"version": 3, "deployment": null}'])
def test_an_empty_state_is_an_empty_graph(nothing: str) -> None:
    assert len(state.read(nothing)) == 0


def test_a_preview_shows_what_will_be_there() -> None:
    new = {**RESOURCES[2], "inputs": {"count": 4, "key": "[secret]", "id": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}}
    del new["propertyDependencies"]
    steps = [
        {"op": "same", "urn": STACK, "oldState": RESOURCES[0], "newState": RESOURCES[0]},
        {"op": "create-replacement", "urn": POOL, "newState": new},
        {"op": "replace", "urn": POOL, "oldState": RESOURCES[2], "newState": new},
        {"op": "delete-replaced", "urn": POOL, "oldState": RESOURCES[2]},
        {"op": "delete", "urn": OWN, "oldState": {**RESOURCES[1], "urn": OWN}},
    ]
    graph = state.read({"steps": steps})
    assert [node.urn for node in graph] == [POOL, STACK]
    assert graph.node(POOL).properties == {"count": 4, "key": SECRET, "id": UNKNOWN}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "it is not JSON: maximum recursion depth exceeded"),
        ("[]", "it is not a JSON object"),
        ("{}", "it has neither `deployment` nor `steps`"),
        ('{"version": 4, "deployment": {}}', "its version is 4, not 3"),
        ('{"version": 3, "deployment": {"resources": [{}]}}', "KeyError: 'urn'"),
        ('{"version": 3, "deployment": {"resources": [1]}}', "AttributeError: 'int' object has no attribute 'get'"),
        ('{"steps": [{"op": "create"}]}', "KeyError: 'oldState'"),
        (exported([RESOURCES[0], RESOURCES[0]]), f"two resources have the URN {STACK}"),
    ],
)
def test_anything_else_is_refused(document: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        state.read(document)
    assert caught.value.message.startswith(f"this is not a Pulumi state or preview: {reason}")

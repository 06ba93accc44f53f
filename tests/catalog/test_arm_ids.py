"""Ids from inputs, held against the sandbox's own knowledge of every type."""

from __future__ import annotations

import pytest

from gpufleet.catalog import arm_ids
from sandbox.azure import registry

SUBSCRIPTION = "5a4db0c5-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"


def test_every_type_of_the_sandbox_has_its_template():
    assert dict(arm_ids.templates()) == {token: kind.path for token, kind in registry.types().items()}


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        (
            "azure-native:resources:ResourceGroup",
            {"resourceGroupName": "rg", "location": "eastus"},
            GROUP,
        ),
        (
            "azure-native:containerservice:AgentPool",
            {"resourceGroupName": "rg", "resourceName": "aks", "agentPoolName": "h100"},
            f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks/agentPools/h100",
        ),
        (
            "azure-native:authorization:RoleAssignment",
            {"scope": "/subscriptions/s/resourceGroups/rg", "roleAssignmentName": "b1"},
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Authorization/roleAssignments/b1",
        ),
        ("azure-native:resources:ResourceGroup", {}, ""),
        ("azure-native:resources:ResourceGroup", {"resourceGroupName": {"secret": "x"}}, ""),
        ("azure-native:resources:ResourceGroup", {"resourceGroupName": ""}, ""),
        ("azure-native:web:WebApp", {"resourceGroupName": "rg", "name": "web"}, ""),
    ],
)
def test_an_id_follows_from_the_inputs_or_is_not_known(kind: str, inputs: dict[str, object], expected: str):
    assert arm_ids.resource_id(kind, inputs, subscription=SUBSCRIPTION) == expected


def test_without_a_subscription_there_is_no_id_below_one():
    assert (
        arm_ids.resource_id("azure-native:resources:ResourceGroup", {"resourceGroupName": "rg"}, subscription="") == ""
    )


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg", SUBSCRIPTION), ("default/name", ""), ("", ""), ("/a/b", "")],
)
def test_the_subscription_of_an_id(resource_id: str, expected: str):
    assert arm_ids.subscription_of(resource_id) == expected

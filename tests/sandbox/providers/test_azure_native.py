from __future__ import annotations

from typing import Any

import pytest

from sandbox import faults
from sandbox.azure.model import SANDBOX_SUBSCRIPTION, SANDBOX_TENANT
from sandbox.azure.resource_manager import ResourceManager
from sandbox.contract import ContractBook
from sandbox.errors import (
    ArmError,
    Failure,
    NotEmulatedError,
    OutcomeUnknownError,
    PartialFailureError,
    SandboxError,
)
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.difference import Change, Difference
from sandbox.providers.shell import Checked, CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import UNKNOWN, Secret
from tests.sandbox.manual_time import ManualTime

GROUP = Urn("azure-native:resources:ResourceGroup", "rg")
POOL = Urn("azure-native:containerservice:AgentPool", "pool")
NETWORK = Urn("azure-native:network:VirtualNetwork", "vnet")
ACCOUNT = Urn("azure-native:storage:StorageAccount", "store")
IDENTITY = Urn("azure-native:managedidentity:UserAssignedIdentity", "id")
ASSIGNMENT = Urn("azure-native:authorization:RoleAssignment", "role")
SEED = bytes(range(64))
POOL_INPUTS: dict[str, Any] = {
    "resourceGroupName": "rg",
    "resourceName": "aks",
    "agentPoolName": "h100a",
    "vmSize": "Standard_ND96isr_H100_v5",
    "count": 1,
}
SPACE: dict[str, Any] = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
NETWORK_INPUTS: dict[str, Any] = {
    "resourceGroupName": "rg",
    "virtualNetworkName": "vnet",
    "location": "eastus",
    **SPACE,
}


@pytest.fixture
def provider(store: Store, azure_book: ContractBook) -> AzureNative:
    backend = AzureNative(store, azure_book)
    backend.configure({})
    return backend


def check(
    provider: AzureNative, urn: Urn, news: dict[str, Any], olds: dict[str, Any] | None = None, **more: str
) -> Checked:
    return provider.check(CheckRequest(urn=urn, olds=olds or {}, news=news, random_seed=SEED, **more))


def group(provider: AzureNative) -> None:
    provider.create(GROUP, {"resourceGroupName": "rg", "location": "eastus"})


# ---- check


def test_a_resource_without_a_name_gets_one_with_eight_hex_digits(provider: AzureNative) -> None:
    inputs = check(provider, NETWORK, {"resourceGroupName": "rg", "location": "eastus"}).inputs
    assert inputs["virtualNetworkName"].startswith("vnet")
    assert len(inputs["virtualNetworkName"]) == len("vnet") + 8
    assert inputs["__createBeforeDelete"] is True
    assert inputs["azureApiVersion"] == "2024-05-01"


def test_the_generated_name_stays(provider: AzureNative) -> None:
    first = check(provider, NETWORK, {"resourceGroupName": "rg", "location": "eastus"}).inputs
    again = check(provider, NETWORK, {"resourceGroupName": "rg", "location": "eastus"}, olds=first).inputs
    assert again == first


def test_a_role_assignment_is_named_with_a_guid(provider: AzureNative) -> None:
    checked = check(
        provider,
        ASSIGNMENT,
        {
            "scope": f"/subscriptions/{SANDBOX_SUBSCRIPTION}",
            "principalId": "5a4db0c5-0000-4000-8000-0000000000c2",
            "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        },
    )
    assert checked.failures == []
    assert len(checked.inputs["roleAssignmentName"]) == 36


@pytest.mark.parametrize(
    ("mode", "name"), [("propose", "vnet-proposed"), ("enforce", "vnet-proposed"), ("disable", None)]
)
def test_autonaming_follows_the_stacks_configuration(provider: AzureNative, mode: str, name: str | None) -> None:
    news = {"resourceGroupName": "rg", "location": "eastus", **SPACE}
    checked = check(provider, NETWORK, news, autoname_mode=mode, proposed_name="vnet-proposed")
    assert checked.inputs.get("virtualNetworkName") == name
    missing = [Failure("virtualNetworkName", "missing required property 'virtualNetworkName'")]
    assert checked.failures == ([] if name else missing)


def test_location_comes_from_the_resource_group(provider: AzureNative) -> None:
    group(provider)
    assert check(provider, NETWORK, {"resourceGroupName": "rg"}).inputs["location"] == "eastus"


def test_location_is_unknown_while_the_group_is(provider: AzureNative) -> None:
    checked = check(provider, NETWORK, {"resourceGroupName": UNKNOWN, **SPACE})
    assert checked.inputs["location"] is UNKNOWN
    assert checked.failures == []


def test_a_resource_group_needs_a_location(provider: AzureNative) -> None:
    failures = check(provider, GROUP, {"resourceGroupName": "rg"}).failures
    assert [failure.path for failure in failures] == ["location"]
    assert "pulumi config set azure-native:location" in failures[0].reason


def test_configured_location_and_subscription(store: Store, azure_book: ContractBook) -> None:
    backend = AzureNative(store, azure_book)
    backend.configure({"location": "swedencentral", "subscriptionId": "00000000-0000-0000-0000-000000000009"})
    inputs = check(backend, GROUP, {"resourceGroupName": "rg"}).inputs
    assert inputs["location"] == "swedencentral"
    resource_id, _ = backend.create(GROUP, inputs)
    assert resource_id == "/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups/rg"


def test_unknown_region(provider: AzureNative) -> None:
    failures = check(provider, GROUP, {"resourceGroupName": "rg", "location": "eastuss"}).failures
    text = "The provided location 'eastuss' is not available for resource type 'Microsoft.Resources/resourceGroups'"
    assert [failure.reason for failure in failures] == [f"{text}; did you mean 'eastus'?"]


def test_everything_wrong_is_said_at_once(provider: AzureNative) -> None:
    news = {
        **POOL_INPUTS,
        "vmSiz": "x",
        "osDiskType": "Ephemera",
        "gpuProfile": {"driver": "Nothing"},
        "count": "one",
        "upgradeSettings": {"maxSurge": 1, "drainTimeout": 3},
        "nodeLabels": {"a.b/c": 1},
    }
    failures = {failure.path: failure.reason for failure in check(provider, POOL, news).failures}
    assert failures == {
        "vmSiz": "unknown property 'vmSiz'; did you mean 'vmSize'?",
        "osDiskType": (
            "'osDiskType' must be one of 'Managed', 'Ephemeral', but got 'Ephemera'; did you mean 'Ephemeral'?"
        ),
        "gpuProfile.driver": "'gpuProfile.driver' must be one of 'Install', 'None', but got 'Nothing'",
        "count": "'count' should be of type 'integer' but got a string",
        "upgradeSettings.maxSurge": "'upgradeSettings.maxSurge' should be of type 'string' but got a number",
        "upgradeSettings.drainTimeout": (
            "unknown property 'upgradeSettings.drainTimeout'; did you mean 'drainTimeoutInMinutes'?"
        ),
        'nodeLabels["a.b/c"]': "'nodeLabels[\"a.b/c\"]' should be of type 'string' but got a number",
    }


def test_unknown_and_secret_values_pass_the_types(provider: AzureNative) -> None:
    news = {**POOL_INPUTS, "vmSize": UNKNOWN, "resourceName": UNKNOWN, "nodeLabels": {"a": Secret("b")}}
    assert check(provider, POOL, news).failures == []
    news["nodeLabels"] = {"a": Secret(1)}
    failures = check(provider, POOL, news).failures
    assert [failure.path for failure in failures] == ["nodeLabels.a"]


def test_an_unknown_type_is_refused(provider: AzureNative) -> None:
    with pytest.raises(NotEmulatedError, match="does not emulate 'azure-native:compute:VirtualMachine'"):
        check(provider, Urn("azure-native:compute:VirtualMachine", "vm"), {})


# ---- diff


def diff(provider: AzureNative, urn: Urn, old: dict[str, Any], **changes: object) -> Difference:
    return provider.diff(urn, old, {key: value for key, value in {**old, **changes}.items() if value is not None})


def test_no_difference(provider: AzureNative) -> None:
    assert diff(provider, POOL, POOL_INPUTS) == Difference()


def test_location_is_compared_as_azure_does(provider: AzureNative) -> None:
    assert diff(provider, NETWORK, NETWORK_INPUTS, location="East US") == Difference()
    changed = diff(provider, NETWORK, NETWORK_INPUTS, location="westus")
    assert changed == Difference(changes={"location": Change("update", replace=True)}, delete_before_replace=True)


def test_update_in_place(provider: AzureNative) -> None:
    assert diff(provider, POOL, POOL_INPUTS, count=2).changes == {"count": Change("update", replace=False)}


@pytest.mark.parametrize(
    "change", [{"vmSize": "Standard_ND96isr_H200_v5"}, {"agentPoolName": "h100b"}, {"resourceName": "b"}]
)
def test_what_makes_the_id_and_what_is_fixed_replaces(provider: AzureNative, change: dict[str, Any]) -> None:
    found = diff(provider, POOL, POOL_INPUTS, **change)
    assert found.replaces == list(change)
    assert found.delete_before_replace


def test_a_randomly_named_resource_is_created_before_the_old_one_goes(provider: AzureNative) -> None:
    old = {**NETWORK_INPUTS, "__createBeforeDelete": True}
    found = provider.diff(NETWORK, old, {**old, "location": "westus"})
    assert found.replaces == ["location"]
    assert not found.delete_before_replace


def test_an_unknown_value_counts_as_changed(provider: AzureNative) -> None:
    assert diff(provider, POOL, POOL_INPUTS, resourceName=UNKNOWN).replaces == ["resourceName"]


# ---- create, preview, update, read, delete


def test_a_preview_promises_inputs_only(provider: AzureNative) -> None:
    inputs = {"resourceGroupName": "rg", "resourceName": "id-a", "location": "eastus", "azureApiVersion": "2023-01-31"}
    assert provider.preview(IDENTITY, inputs, None) == {
        "azureApiVersion": "2023-01-31",
        "location": "eastus",
        "clientId": UNKNOWN,
        "name": UNKNOWN,
        "principalId": UNKNOWN,
        "systemData": UNKNOWN,
        "tags": UNKNOWN,
        "tenantId": UNKNOWN,
        "type": UNKNOWN,
    }


def test_a_preview_knows_nothing_more_inside_objects(provider: AzureNative) -> None:
    cluster = Urn("azure-native:containerservice:ManagedCluster", "aks")
    identity = {"type": "UserAssigned", "userAssignedIdentities": ["/subscriptions/s/x"]}
    outputs = provider.preview(cluster, {"identity": identity, "oidcIssuerProfile": {"enabled": True}}, None)
    assert outputs["oidcIssuerProfile"] == {"enabled": True, "issuerURL": UNKNOWN}
    assert outputs["identity"]["type"] == "UserAssigned"
    assert outputs["identity"]["principalId"] is UNKNOWN
    assert outputs["identity"]["userAssignedIdentities"] is UNKNOWN


def test_a_preview_of_an_update_keeps_name_and_location(provider: AzureNative) -> None:
    inputs = {"resourceGroupName": "rg", "resourceName": "id-a", "location": "eastus", "tags": {"a": "b"}}
    outputs = provider.preview(IDENTITY, inputs, {"name": "id-a", "location": "eastus", "principalId": "x"})
    assert (outputs["name"], outputs["location"], outputs["principalId"]) == ("id-a", "eastus", UNKNOWN)


def test_what_comes_up_keeps_every_promise_of_the_preview(provider: AzureNative) -> None:
    group(provider)
    inputs = check(provider, NETWORK, {**NETWORK_INPUTS, "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}).inputs
    preview = provider.preview(NETWORK, inputs, None)
    _, outputs = provider.create(NETWORK, inputs)
    promised = {key: value for key, value in preview.items() if value is not UNKNOWN and not isinstance(value, dict)}
    assert {key: outputs[key] for key in promised} == promised
    assert outputs["addressSpace"]["addressPrefixes"] == preview["addressSpace"]["addressPrefixes"]


def test_secret_inputs_stay_secret_outputs(provider: AzureNative) -> None:
    group(provider)
    inputs = {**NETWORK_INPUTS, "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "tags": {"token": Secret("hush")}}
    resource_id, outputs = provider.create(NETWORK, inputs)
    assert outputs["tags"] == {"token": Secret("hush")}
    found = provider.read(NETWORK, resource_id, outputs, inputs)
    assert found is not None
    assert found[1]["tags"] == {"token": Secret("hush")}


def test_creating_twice(provider: AzureNative) -> None:
    group(provider)
    with pytest.raises(SandboxError) as error:
        group(provider)
    assert str(error.value) == (
        f"cannot create already existing resource '/subscriptions/{SANDBOX_SUBSCRIPTION}/resourceGroups/rg'"
    )


def test_a_refresh_without_a_change_changes_nothing(provider: AzureNative) -> None:
    group(provider)
    resource_id, outputs = provider.create(NETWORK, NETWORK_INPUTS)
    assert provider.read(NETWORK, resource_id, outputs, NETWORK_INPUTS) == (resource_id, outputs, NETWORK_INPUTS)


def test_a_refresh_carries_what_changed_outside_into_the_inputs(provider: AzureNative, store: Store) -> None:
    group(provider)
    inputs = {**NETWORK_INPUTS, "tags": {"a": "1"}}
    resource_id, outputs = provider.create(NETWORK, inputs)
    record = store.get(resource_id)
    assert record is not None
    with store.transaction() as transaction:
        transaction.put(resource_id, {**record, "outputs": {**outputs, "tags": {"a": "2"}}})
    found = provider.read(NETWORK, resource_id, outputs, inputs)
    assert found is not None
    assert found[2] == {**inputs, "tags": {"a": "2"}}


def test_an_import_finds_the_inputs(provider: AzureNative) -> None:
    group(provider)
    inputs = {"resourceGroupName": "rg", "resourceName": "id-a", "location": "eastus", "tags": {"a": "1"}}
    resource_id, outputs = provider.create(IDENTITY, inputs)
    assert provider.read(IDENTITY, resource_id.lower(), {}, {}) == (
        resource_id,
        outputs,
        {**inputs, "azureApiVersion": "2023-01-31"},
    )


def test_an_import_with_an_id_of_another_type(provider: AzureNative) -> None:
    with pytest.raises(SandboxError, match="is not the id of a VirtualNetwork: it has the form /subscriptions/"):
        provider.read(NETWORK, f"/subscriptions/{SANDBOX_SUBSCRIPTION}/resourceGroups/rg", {}, {})


def test_what_is_gone_reads_as_none_and_deletes_quietly(provider: AzureNative) -> None:
    resource_id = f"/subscriptions/{SANDBOX_SUBSCRIPTION}/resourceGroups/rg"
    assert provider.read(GROUP, resource_id, {}, {}) is None
    provider.delete(GROUP, resource_id, {})


def test_update_of_a_resource_that_is_gone(provider: AzureNative) -> None:
    group(provider)
    resource_id, outputs = provider.create(NETWORK, NETWORK_INPUTS)
    provider.delete(NETWORK, resource_id, outputs)
    with pytest.raises(ArmError) as error:
        provider.update(NETWORK, resource_id, NETWORK_INPUTS, outputs)
    assert error.value.code == "ResourceNotFound"
    text = "The Resource 'Microsoft.Network/virtualNetworks/vnet' under resource group 'rg' was not found."
    assert str(error.value).startswith(f'Status=404 Code="ResourceNotFound" Message="{text}')


# ---- functions


def test_client_config(provider: AzureNative) -> None:
    found = provider.invoke("azure-native:authorization:getClientConfig", {})
    assert (found["subscriptionId"], found["tenantId"]) == (SANDBOX_SUBSCRIPTION, SANDBOX_TENANT)


def test_a_getter_reads_the_resource(provider: AzureNative) -> None:
    group(provider)
    found = provider.invoke("azure-native:resources:getResourceGroup", {"resourceGroupName": "RG"})
    assert (found["name"], found["location"]) == ("rg", "eastus")
    with pytest.raises(ArmError, match="ResourceGroupNotFound"):
        provider.invoke(
            "azure-native:network:getVirtualNetwork", {"resourceGroupName": "no", "virtualNetworkName": "v"}
        )


# ---- operations that fail or are not seen to their end


def test_what_failed_in_azure_comes_with_its_state(provider: AzureNative, store: Store) -> None:
    group(provider)
    faults.add(store, faults.make(code="AllocationFailed", times=2))
    with pytest.raises(PartialFailureError) as caught:
        provider.create(NETWORK, NETWORK_INPUTS)
    assert caught.value.resource_id.endswith("/virtualNetworks/vnet")
    assert caught.value.outputs["provisioningState"] == "Failed"
    assert str(caught.value).startswith('Status=200 Code="AllocationFailed" Message="Allocation failed.')
    with pytest.raises(PartialFailureError):
        provider.update(NETWORK, caught.value.resource_id, NETWORK_INPUTS, caught.value.outputs)
    mended = provider.update(NETWORK, caught.value.resource_id, NETWORK_INPUTS, caught.value.outputs)
    assert mended["provisioningState"] == "Succeeded"


def test_a_programs_own_timeout_counts(store: Store, azure_book: ContractBook) -> None:
    time = ManualTime()
    backend = AzureNative(store, azure_book, time.pace())
    backend._manager = ResourceManager(store, azure_book.get, now=time.now, pace=time.pace())
    group(backend)
    time.waits.clear()
    backend.timeout.set(3.0)
    with pytest.raises(OutcomeUnknownError, match="operation timed out"):
        backend.create(NETWORK, NETWORK_INPUTS)
    backend.timeout.set(0.0)
    assert time.waits == [3.0]


def test_what_somebody_deletes_while_it_is_made_is_not_found(store: Store, azure_book: ContractBook) -> None:
    time = ManualTime()
    backend = AzureNative(store, azure_book, time.pace())
    backend._manager = ResourceManager(store, azure_book.get, now=time.now, pace=time.pace())
    group(backend)
    time.on_wait = store.wipe
    with pytest.raises(ArmError, match="ResourceNotFound"):
        backend.create(NETWORK, NETWORK_INPUTS)

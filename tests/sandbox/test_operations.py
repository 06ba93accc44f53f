"""Operations over time: begin, what is seen meanwhile, conflicts, the end, and a client that dies."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox.azure import operations, registry
from sandbox.azure.operations import duration_of
from sandbox.azure.resource_manager import Accepted, Resource, ResourceManager
from sandbox.contract import ContractBook
from sandbox.errors import ArmError, OutcomeUnknownError, SandboxError
from sandbox.pace import CancelledError, Pace, pace_from
from sandbox.settings import set_setting, unset_setting
from sandbox.store import Store
from tests.sandbox.manual_time import ManualTime

CLUSTER = registry.by_token("azure-native:containerservice:ManagedCluster")
POOL = registry.by_token("azure-native:containerservice:AgentPool")
GROUP = registry.by_token("azure-native:resources:ResourceGroup")
NETWORK = registry.by_token("azure-native:network:VirtualNetwork")
SUBNET = registry.by_token("azure-native:network:Subnet")
IDENTITY = registry.by_token("azure-native:managedidentity:UserAssignedIdentity")
CLUSTER_INPUTS: dict[str, Any] = {
    "resourceGroupName": "rg",
    "resourceName": "aks",
    "location": "eastus",
    "dnsPrefix": "aks",
    "identity": {"type": "SystemAssigned"},
    "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 3, "vmSize": "Standard_D4s_v5"}],
}


class Cloud:
    """A Resource Manager on a clock that only moves when somebody waits, with a group in it."""

    def __init__(self, store: Store, book: ContractBook, *, scale: float = 1.0) -> None:
        self.time = ManualTime()
        self.store = store
        self.manager = ResourceManager(store, book.get, now=self.time.now, pace=self.time.pace(scale))
        self.manager.create(GROUP, {"resourceGroupName": "rg", "location": "eastus"})
        self.time.waits.clear()

    def begin_cluster(self, **more: object) -> Accepted:
        return self.manager.begin_create(CLUSTER, {**CLUSTER_INPUTS, **more})

    def cluster(self) -> Resource:
        return self.manager.create(CLUSTER, CLUSTER_INPUTS)

    def begin_pool(self, name: str = "h100a") -> Accepted:
        return self.manager.begin_create(POOL, pool(name))

    def network(self) -> Resource:
        inputs = {
            "resourceGroupName": "rg",
            "virtualNetworkName": "vnet",
            "location": "eastus",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        }
        return self.manager.create(NETWORK, inputs)

    def begin_subnet(self, number: int) -> Accepted:
        return self.manager.begin_create(SUBNET, subnet(number))

    def state(self, resource_id: str) -> str | None:
        found = self.manager.find(resource_id)
        return None if found is None else str(found.outputs["provisioningState"])


def pool(name: str) -> dict[str, Any]:
    return {
        "resourceGroupName": "rg",
        "resourceName": "aks",
        "agentPoolName": name,
        "vmSize": "Standard_D8s_v5",
        "count": 1,
        "mode": "User",
    }


def subnet(number: int) -> dict[str, Any]:
    return {
        "resourceGroupName": "rg",
        "virtualNetworkName": "vnet",
        "subnetName": f"s{number}",
        "addressPrefix": f"10.0.{number}.0/24",
    }


@pytest.fixture
def cloud(store: Store, azure_book: ContractBook) -> Cloud:
    return Cloud(store, azure_book)


def test_a_creation_takes_its_time_and_shows_outputs_at_the_end(cloud: Cloud) -> None:
    accepted = cloud.begin_cluster()
    assert accepted.seconds == 330
    seen = cloud.manager.require(accepted.id)
    assert seen.outputs["provisioningState"] == "Creating"
    assert "fqdn" not in seen.outputs
    made = cloud.manager.finish(accepted)
    assert made is not None
    assert made.outputs["provisioningState"] == "Succeeded"
    assert made.outputs["fqdn"].endswith(".hcp.eastus.azmk8s.io")
    # The provider asks every ten seconds (client_azcore.go, updatePollingIntervalSeconds).
    assert cloud.time.waits == [10.0] * 33
    assert cloud.store.items(operations.OPERATIONS) == []


def test_an_update_shows_the_old_outputs_until_its_end(cloud: Cloud) -> None:
    cluster = cloud.cluster()
    accepted = cloud.manager.begin_update(cluster.id, CLUSTER, {**CLUSTER_INPUTS, "tags": {"a": "b"}})
    seen = cloud.manager.require(cluster.id).outputs
    assert (seen["provisioningState"], "tags" in seen) == ("Updating", False)
    made = cloud.manager.finish(accepted)
    assert made is not None
    assert (made.outputs["provisioningState"], made.outputs["tags"]) == ("Succeeded", {"a": "b"})


def test_a_deletion_takes_its_time_and_a_second_one_waits_for_the_first(cloud: Cloud) -> None:
    cluster = cloud.cluster()
    pool_id = cloud.manager.finish(cloud.begin_pool())
    first = cloud.manager.begin_delete(cluster.id)
    assert first is not None
    assert cloud.state(cluster.id) == "Deleting"
    second = cloud.manager.begin_delete(cluster.id)
    assert second is not None
    assert second.until == first.until
    cloud.time.waits.clear()
    assert cloud.manager.finish(first) is None
    assert cloud.time.waits == [30.0] * 8
    assert cloud.state(cluster.id) is None
    assert pool_id is not None
    assert cloud.state(pool_id.id) is None
    assert [resource.id.rpartition("/")[2] for resource in cloud.manager.all()] == ["rg"]
    assert cloud.manager.begin_delete(cluster.id) is None


def test_an_operation_outlives_its_client(cloud: Cloud, azure_book: ContractBook) -> None:
    accepted = cloud.begin_cluster()
    # The provider is killed here: nobody waits. Another one, with a store of its own, looks later.
    cloud.time.seconds += 329
    other = ResourceManager(Store(cloud.store.path.parent), azure_book.get, now=cloud.time.now)
    assert other.require(accepted.id).outputs["provisioningState"] == "Creating"
    cloud.time.seconds += 1
    found = other.require(accepted.id)
    assert found.outputs["provisioningState"] == "Succeeded"
    assert "fqdn" in found.outputs
    other.store.close()


def test_nothing_is_written_for_an_operation_when_time_does_not_pass(store: Store, azure_book: ContractBook) -> None:
    cloud = Cloud(store, azure_book, scale=0)
    before = store.path.read_bytes().count(b"\n")
    cloud.cluster()
    assert store.path.read_bytes().count(b"\n") == before + 1
    assert store.items(operations.OPERATIONS) == []
    assert cloud.time.waits == []


def test_a_wait_that_is_cancelled_leaves_the_operation_running(cloud: Cloud) -> None:
    accepted = cloud.begin_cluster()
    cloud.time.on_wait = cloud.manager._pace.cancel
    with pytest.raises(CancelledError, match="context canceled"):
        cloud.manager.finish(accepted)
    assert cloud.state(accepted.id) == "Creating"


def test_a_wait_ends_at_its_timeout_and_the_operation_goes_on(cloud: Cloud) -> None:
    accepted = cloud.begin_cluster()
    with pytest.raises(OutcomeUnknownError, match="operation timed out"):
        cloud.manager.finish(accepted, timeout=25)
    assert cloud.time.waits == [10.0, 10.0, 5.0]
    cloud.time.seconds += 305
    assert cloud.state(accepted.id) == "Succeeded"


def refused(call: object, *arguments: object) -> tuple[int, str, str]:
    assert callable(call)
    with pytest.raises(ArmError) as caught:
        call(*arguments)
    return caught.value.status, caught.value.code, caught.value.message


def test_a_cluster_takes_one_write_at_a_time(cloud: Cloud) -> None:
    cluster = cloud.cluster()
    cloud.manager.begin_update(cluster.id, CLUSTER, {**CLUSTER_INPUTS, "tags": {"a": "b"}})
    text = (
        "Operation is not allowed: Another operation (aks - Updating) is in progress, please wait for it to finish "
        "before starting a new operation. See https://aka.ms/aks-pending-operation for more details"
    )
    again = refused(cloud.manager.begin_update, cluster.id, CLUSTER, CLUSTER_INPUTS)
    assert again == (409, "OperationNotAllowed", text)
    assert refused(cloud.manager.begin_delete, cluster.id) == (409, "OperationNotAllowed", text)
    status, code, message = refused(cloud.begin_pool)
    assert (status, code) == (409, "OperationNotAllowed")
    assert "Another operation (Updating) is in progress" in message


def test_pools_of_a_cluster_change_at_once_and_keep_the_cluster_from_changing(cloud: Cloud) -> None:
    cluster = cloud.cluster()
    first, second = cloud.begin_pool("a"), cloud.begin_pool("b")
    status, code, message = refused(cloud.manager.begin_update, cluster.id, CLUSTER, CLUSTER_INPUTS)
    assert (status, code) == (409, "OperationNotAllowed")
    assert "Another agentpool operation (a - Creating) is in progress" in message
    for accepted in (first, second):
        assert cloud.manager.finish(accepted) is not None
    cloud.manager.begin_update(cluster.id, CLUSTER, CLUSTER_INPUTS)


def test_what_is_being_created_cannot_be_created_again_nor_deleted(cloud: Cloud) -> None:
    accepted = cloud.begin_cluster()
    with pytest.raises(SandboxError, match="cannot create already existing resource"):
        cloud.begin_cluster()
    assert refused(cloud.manager.begin_delete, accepted.id)[:2] == (409, "OperationNotAllowed")


def test_subnets_of_a_network_are_written_one_at_a_time(cloud: Cloud) -> None:
    network = cloud.network()
    first = cloud.begin_subnet(1)
    status, code, message = refused(cloud.begin_subnet, 2)
    assert (status, code) == (409, "AnotherOperationInProgress")
    assert message.startswith(
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: "
        "https://management.azure.com/subscriptions/"
    )
    assert refused(cloud.manager.begin_delete, network.id)[1] == "AnotherOperationInProgress"
    cloud.manager.finish(first)
    assert cloud.manager.finish(cloud.begin_subnet(2)) is not None


def test_a_subnet_that_is_being_written_cannot_be_used_yet(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.network()
    subnet_id = cloud.begin_subnet(1).id
    inputs = {**pool("a"), "vnetSubnetID": subnet_id}
    status, code, message = refused(cloud.manager.begin_create, POOL, inputs)
    assert (status, code) == (429, "ReferencedResourceNotProvisioned")
    assert f"resource {subnet_id} used by resource" in message


def test_nothing_is_made_in_a_group_that_is_being_deleted(cloud: Cloud) -> None:
    group = "/".join(cloud.network().id.split("/")[:5])
    going = cloud.manager.begin_delete(group)
    text = "The resource group 'rg' is in deprovisioning state and cannot perform this operation."
    assert refused(cloud.begin_cluster) == (409, "ResourceGroupBeingDeleted", text)
    assert going is not None
    cloud.manager.finish(going)
    assert list(cloud.manager.all()) == []


def test_a_group_takes_running_operations_with_it(cloud: Cloud) -> None:
    accepted = cloud.begin_cluster()
    going = cloud.manager.begin_delete("/".join(accepted.id.split("/")[:5]))
    assert going is not None
    cloud.manager.finish(going)
    with pytest.raises(ArmError, match="ResourceGroupNotFound"):
        cloud.manager.require(accepted.id)
    cloud.time.seconds += 1000
    assert list(cloud.manager.all()) == []


def test_synchronous_calls_take_time_but_are_no_conflict_with_others(cloud: Cloud) -> None:
    inputs = {"resourceGroupName": "rg", "resourceName": "id", "location": "eastus"}
    accepted = cloud.manager.begin_create(IDENTITY, inputs)
    # The work is done when the call is taken: a client that dies meanwhile changes nothing.
    assert cloud.manager.require(accepted.id).outputs["principalId"]
    assert cloud.store.items(operations.OPERATIONS) == []
    cloud.manager.begin_update(accepted.id, IDENTITY, inputs)
    assert cloud.manager.finish(accepted) == accepted.resource
    assert cloud.time.waits == [2.0]


def test_cluster_writes_are_throttled_by_a_bucket_of_their_own(cloud: Cloud) -> None:
    cluster = cloud.cluster()  # 330 seconds later the creation's own token is back
    cloud.time.on_wait = lambda: None
    for number in range(20):
        # Only the calls count, not how long an operation takes: end it at once.
        cloud.manager.begin_update(cluster.id, CLUSTER, {**CLUSTER_INPUTS, "tags": {"n": str(number)}})
        operations.settle(cloud.store, cloud.time.seconds + 10_000)
    with pytest.raises(ArmError) as caught:
        cloud.manager.begin_update(cluster.id, CLUSTER, CLUSTER_INPUTS)
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, "Throttled", 60)
    assert "PutManagedClusterHandler.PUT request limit has been exceeded" in caught.value.message
    cloud.begin_pool()  # a pool has its own bucket
    operations.settle(cloud.store, cloud.time.seconds + 10_000)
    cloud.time.seconds += 60
    cloud.manager.begin_update(cluster.id, CLUSTER, CLUSTER_INPUTS)


def test_all_writes_of_a_subscription_share_resource_managers_bucket(cloud: Cloud) -> None:
    def identity(number: int) -> dict[str, Any]:
        return {"resourceGroupName": "rg", "resourceName": f"id-{number}", "location": "eastus"}

    for number in range(200):  # the token of the fixture's group is back
        cloud.manager.begin_create(IDENTITY, identity(number))
    with pytest.raises(ArmError) as caught:
        cloud.manager.begin_create(IDENTITY, identity(200))
    assert (caught.value.status, caught.value.code) == (429, "SubscriptionRequestsThrottled")
    assert caught.value.message.startswith("Number of 'write' requests for subscription '")
    assert caught.value.retry_after == 1
    cloud.manager.begin_delete(cloud.manager.id_of(IDENTITY, identity(0)))  # deletions have a bucket of their own
    cloud.time.seconds += 0.35  # three tokens and a half
    for number in range(200, 203):
        cloud.manager.begin_create(IDENTITY, identity(number))
    with pytest.raises(ArmError, match="SubscriptionRequestsThrottled"):
        cloud.manager.begin_create(IDENTITY, identity(203))


def test_deletions_share_a_bucket(cloud: Cloud) -> None:
    def identity(number: int) -> dict[str, Any]:
        return {"resourceGroupName": "rg", "resourceName": f"id-{number}", "location": "eastus"}

    for number in range(201):
        cloud.manager.begin_create(IDENTITY, identity(number))
        cloud.time.seconds += 1
    for number in range(200):
        cloud.manager.begin_delete(cloud.manager.id_of(IDENTITY, identity(number)))
    with pytest.raises(ArmError, match="Number of 'delete' requests"):
        cloud.manager.begin_delete(cloud.manager.id_of(IDENTITY, identity(200)))
    assert cloud.manager.find(cloud.manager.id_of(IDENTITY, identity(200))) is not None


def test_a_stated_duration_holds_for_creations(cloud: Cloud) -> None:
    set_setting(cloud.store, "duration", "microsoft.containerservice/managedclusters", "360")
    accepted = cloud.begin_cluster()
    assert accepted.seconds == 360
    cloud.manager.finish(accepted)
    assert cloud.manager.begin_update(accepted.id, CLUSTER, CLUSTER_INPUTS).seconds == 180
    unset_setting(cloud.store, "duration", "Microsoft.ContainerService/managedClusters")
    assert operations.duration_in(cloud.store.get, CLUSTER.arm_type, "create").seconds == 330


@pytest.mark.parametrize(("days", "same"), [(13, True), (15, False)])
def test_a_softly_deleted_resource_comes_back_under_its_id(cloud: Cloud, days: int, same: bool) -> None:
    kind = registry.by_token("azure-native:operationalinsights:Workspace")
    inputs = {"resourceGroupName": "rg", "workspaceName": "log-a", "location": "eastus", "retentionInDays": 30}
    first = cloud.manager.create(kind, inputs)
    cloud.manager.delete(first.id)
    assert cloud.manager.find(first.id) is None
    cloud.time.seconds += days * 86400
    again = cloud.manager.create(kind, inputs)
    # Source: Azure docs, delete-workspace: 14 days, the same name recovers the workspace with its id and its data.
    assert (again.outputs["customerId"] == first.outputs["customerId"]) is same
    assert cloud.store.items(operations.DELETED) == []


def test_the_scale_is_read_from_the_environment() -> None:
    assert pace_from({}).scale == 0
    assert pace_from({"GPUFLEET_SANDBOX_TIME_SCALE": " 0.01 "}).scale == 0.01
    for text in ("fast", "-1", "nan", "inf"):
        with pytest.raises(SandboxError, match=f"GPUFLEET_SANDBOX_TIME_SCALE must be a number .* but is '{text}'"):
            pace_from({"GPUFLEET_SANDBOX_TIME_SCALE": text})


def test_a_pace_that_was_cancelled_waits_no_more() -> None:
    pace = Pace()
    pace.sleep(3600)
    pace.cancel()
    with pytest.raises(CancelledError):
        pace.sleep(0)


def test_every_type_has_a_duration_and_every_row_a_source() -> None:
    with (Path(sandbox.__file__).parent / "data" / "durations.csv").open() as file:
        rows = {row["type"]: row for row in csv.DictReader(file)}
    assert {kind.arm_type for kind in registry.types().values()} <= set(rows)
    for row in rows.values():
        assert row["source"], row
        assert row["confidence"] in {"high", "medium", "low"}, row
        assert set(row["asynchronous"].split()) <= {"create", "update", "delete"}, row
    assert duration_of("Microsoft.Unknown/things", "create") == operations.Duration(5, asynchronous=False)
    assert duration_of(POOL.arm_type, "create") == operations.Duration(210, asynchronous=True)

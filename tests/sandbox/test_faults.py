"""Faults on demand: the table, how they are written and counted down, and what each phase does to a request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import faults, outages
from sandbox.azure import registry
from sandbox.azure.resource_manager import ResourceManager
from sandbox.contract import ContractBook
from sandbox.errors import ArmError, OutcomeUnknownError, SandboxError
from sandbox.faults import Fault, Phase
from sandbox.store import Store
from tests.sandbox.conftest import Azure
from tests.sandbox.manual_time import ManualTime

GROUP = registry.by_token("azure-native:resources:ResourceGroup")
NETWORK = registry.by_token("azure-native:network:VirtualNetwork")
IDENTITY = registry.by_token("azure-native:managedidentity:UserAssignedIdentity")
NETWORK_INPUTS: dict[str, Any] = {
    "resourceGroupName": "rg",
    "virtualNetworkName": "vnet",
    "location": "eastus",
    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
}


def fail(store: Store, code: str, **more: Any) -> Fault:  # noqa: ANN401
    return faults.add(store, faults.make(code=code, **more))


def test_a_known_code_brings_status_text_phase_and_operations() -> None:
    fault = faults.make(code="TooManyRequests")
    assert (fault.status, fault.phase, fault.retry_after) == (429, Phase.REFUSED, 17)
    assert fault.verbs == ("create", "update", "delete", "read")
    assert faults.make(code="AllocationFailed").phase is Phase.FAILED
    assert faults.make(code="InUseSubnetCannotBeDeleted").verbs == ("delete",)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"code": "AllocationFaild"}, "knows no error code 'AllocationFaild': did you mean 'AllocationFailed'"),
        ({"code": "Zzz"}, "knows no error code 'Zzz': give --status and --message"),
        ({"code": "Zzz", "status": 400}, "knows no error code 'Zzz'"),
        ({"code": "Conflict", "times": 0}, "at least once, not 0 times"),
        ({"code": "Conflict", "verbs": ("make",)}, "'make' is no operation: one of create, update, delete, read"),
        ({"code": "Conflict", "status": 200}, "is 400 to 599, not 200"),
        ({"code": "Conflict", "retry_after": -1}, "at least 0 seconds, not -1"),
    ],
)
def test_a_fault_that_cannot_be(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(SandboxError, match=text):
        faults.make(**arguments)


def test_a_code_of_ones_own() -> None:
    fault = faults.make(code="Zzz", status=418, message="no {thing} for {name}", times=3)
    assert (fault.code, fault.status, fault.phase, fault.verbs) == ("Zzz", 418, Phase.REFUSED, faults.VERBS[:3])
    # A placeholder without a word stays as it is.
    assert fault.error({"name": "vnet"}).message == "no {thing} for vnet"


def test_faults_are_numbered_listed_and_removed(store: Store) -> None:
    assert [fail(store, code).id for code in ("Conflict", "QuotaExceeded", "BadGateway")] == ["1", "2", "3"]
    assert [fault.code for fault in faults.listed(store)] == ["Conflict", "QuotaExceeded", "BadGateway"]
    assert faults.remove(store, ["2", "9"]) == ["2"]
    assert fail(store, "Conflict").id == "4"
    assert faults.remove(store) == ["1", "3", "4"]
    assert faults.listed(store) == []


@pytest.mark.parametrize(
    ("kind", "name", "verb", "strikes"),
    [
        ("containerservice:AgentPool", "h100a", "create", True),
        ("containerservice:agentpool", "H100B", "update", True),
        ("containerservice:AgentPool", "cpu", "create", False),
        ("containerservice:AgentPool", "h100a", "delete", False),
        ("containerservice:ManagedCluster", "h100a", "create", False),
    ],
)
def test_what_a_fault_fits(store: Store, kind: str, name: str, verb: str, strikes: bool) -> None:
    fail(store, "AllocationFailed", type_="AgentPool", name="h100*")
    with store.transaction() as transaction:
        assert (faults.strike(transaction, kind, name, verb) is not None) is strikes
    assert len(faults.listed(store)) == 1 - strikes


_STRIKER = """
import sys
from pathlib import Path
from sandbox import faults
from sandbox.store import Store
store, struck = Store(Path(sys.argv[1])), 0
for _ in range(20):
    with store.transaction() as transaction:
        struck += faults.strike(transaction, "network:Subnet", "s", "create") is not None
print(struck)
"""


def test_several_processes_count_down_together(store: Store) -> None:
    fail(store, "Conflict", times=25)
    command = [sys.executable, "-c", _STRIKER, str(store.path.parent)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    struck = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(struck) == 25
    assert faults.listed(store) == []


# ---- what each phase does to Azure's resources


def test_a_refusal_does_nothing_and_is_counted_down(store: Store, azure: Azure) -> None:
    azure.group()
    fail(store, "SkuNotAvailable", type_="VirtualNetwork", times=2)
    for left in (1, 0):
        with pytest.raises(ArmError) as caught:
            azure.manager.create(NETWORK, NETWORK_INPUTS)
        assert (caught.value.status, caught.value.code) == (409, "SkuNotAvailable")
        assert "virtualNetworks/vnet' is currently not available in location 'eastus'" in caught.value.message
        assert sum(fault.times for fault in faults.listed(store)) == left
        assert len(list(azure.manager.all())) == 1
    azure.manager.create(NETWORK, NETWORK_INPUTS)


def test_a_failed_operation_leaves_the_resource_in_state_failed(store: Store, azure: Azure) -> None:
    azure.group()
    fail(store, "AllocationFailed", type_="VirtualNetwork")
    with pytest.raises(ArmError) as caught:
        azure.manager.create(NETWORK, NETWORK_INPUTS)
    # A poller finds it in an answer with status 200.
    assert (caught.value.status, caught.value.code) == (200, "AllocationFailed")
    [_, left] = azure.manager.all()
    assert left.outputs["provisioningState"] == "Failed"
    mended = azure.manager.update(left.id, NETWORK, NETWORK_INPUTS)
    assert mended.outputs["provisioningState"] == "Succeeded"


def test_a_failed_deletion_leaves_the_resource_in_state_failed(store: Store, azure: Azure) -> None:
    azure.group()
    made = azure.manager.create(NETWORK, NETWORK_INPUTS)
    fail(store, "InternalOperationError")
    with pytest.raises(ArmError, match="InternalOperationError"):
        azure.manager.delete(made.id)
    assert azure.manager.require(made.id).outputs["provisioningState"] == "Failed"
    azure.manager.delete(made.id)
    assert azure.manager.find(made.id) is None


def test_a_call_that_is_no_long_operation_fails_at_once(store: Store, azure: Azure) -> None:
    azure.group()
    fail(store, "AllocationFailed")
    inputs = {"resourceGroupName": "rg", "resourceName": "id", "location": "eastus"}
    with pytest.raises(ArmError, match="Status=409"):
        azure.manager.create(IDENTITY, inputs)
    assert len(list(azure.manager.all())) == 1


def test_an_answer_that_is_lost_after_the_work(store: Store, azure: Azure) -> None:
    azure.group()
    fail(store, "ConnectionReset")
    with pytest.raises(OutcomeUnknownError, match="connection reset by peer"):
        azure.manager.create(NETWORK, NETWORK_INPUTS)
    [_, made] = azure.manager.all()
    assert made.outputs["provisioningState"] == "Succeeded"
    fail(store, "ConnectionReset")
    with pytest.raises(OutcomeUnknownError):
        azure.manager.delete(made.id)
    assert azure.manager.find(made.id) is None


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_an_operation_longer_than_the_provider_waits(store: Store, azure_book: ContractBook, scale: float) -> None:
    time = ManualTime()
    manager = ResourceManager(store, azure_book.get, now=time.now, pace=time.pace(scale))
    manager.create(GROUP, {"resourceGroupName": "rg", "location": "eastus"})
    time.waits.clear()
    fail(store, "OperationTimedOut")
    accepted = manager.begin_create(NETWORK, NETWORK_INPUTS)
    with pytest.raises(OutcomeUnknownError, match="operation timed out"):
        manager.finish(accepted)
    assert sum(time.waits) == pytest.approx(7200 * scale)
    time.seconds += 3601 * scale
    assert manager.require(accepted.id).outputs["provisioningState"] == "Succeeded"


def test_a_success_that_is_reported_late(store: Store, azure_book: ContractBook) -> None:
    time = ManualTime()
    manager = ResourceManager(store, azure_book.get, now=time.now, pace=time.pace(0.5))
    manager.create(GROUP, {"resourceGroupName": "rg", "location": "eastus"})
    time.waits.clear()
    fail(store, "SuccessReportedLate")
    made = manager.create(NETWORK, NETWORK_INPUTS)
    assert made.outputs["provisioningState"] == "Succeeded"
    assert sum(time.waits) == pytest.approx((600 + 10) * 0.5)  # the network's own 5 seconds end within the next 10


def test_reading_can_fail(store: Store, azure: Azure) -> None:
    made = azure.group()
    fail(store, "AuthorizationFailed", verbs=("read",))
    with pytest.raises(ArmError, match="AuthorizationFailed"):
        azure.manager.read(made.id)
    assert azure.manager.read(made.id) is not None


# ---- outages


def test_a_region_that_is_down(store: Store, azure: Azure) -> None:
    azure.group()
    made = azure.manager.create(NETWORK, NETWORK_INPUTS)
    assert outages.add(store, "East US") == "eastus"
    assert outages.listed(store) == ["eastus"]
    child: dict[str, Any] = {
        "resourceGroupName": "rg",
        "virtualNetworkName": "vnet",
        "subnetName": "s",
        "addressPrefix": "10.0.0.0/24",
    }
    calls: list[Callable[[], object]] = [
        lambda: azure.manager.read(made.id),
        lambda: azure.manager.update(made.id, NETWORK, NETWORK_INPUTS),
        lambda: azure.manager.delete(made.id),
        # A child has no location of its own: its network's counts.
        lambda: azure.create("network:Subnet", **child),
    ]
    for call in calls:
        with pytest.raises(ArmError, match='Status=503 Code="ServiceUnavailable"'):
            call()
    elsewhere = {**NETWORK_INPUTS, "virtualNetworkName": "west", "location": "westus2"}
    assert azure.manager.create(NETWORK, elsewhere).outputs["location"] == "westus2"
    assert outages.remove(store, "eastus") is True
    assert outages.remove(store, "eastus") is False
    assert azure.manager.read(made.id) is not None


def test_an_outage_needs_a_region(store: Store) -> None:
    with pytest.raises(SandboxError, match="'eastsu' is no Azure region; did you mean 'eastus'"):
        outages.add(store, "eastsu")


def test_every_code_has_a_text_and_a_source() -> None:
    for code, row in faults.known().items():
        assert row.text("source"), code
        fault = faults.make(code=code)
        assert fault.error({}).code == code
        assert set(fault.verbs) <= set(faults.VERBS), code
    retried = {code for code, row in faults.known().items() if row.text("retried") == "yes"}
    # What azcore's policy, as the provider sets it, sends again: see sandbox/providers/retry.py.
    statuses = {408, 429, 500, 502, 503, 504}
    expected = {
        code
        for code, row in faults.known().items()
        if row.text("phase") == "refused"
        and (row.integer("status") in statuses or code == "AnotherOperationInProgress")
    }
    assert retried == expected

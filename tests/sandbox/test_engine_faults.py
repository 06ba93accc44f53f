"""What becomes of an `up` when Azure says no, says it late, or says nothing: under the real engine."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pytest
from pulumi_azure_native import network, resources

from gpufleet.engine import EngineError, ResourceError, RunOptions
from gpufleet.errors import ExitCode
from sandbox import drift, faults, outages
from sandbox.store import Store
from tests.sandbox.engine import Sandbox, errors
from tests.sandbox.program import LOCATION

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def networks(*names: str, tag: str = "a") -> Callable[[], None]:
    """A resource group and networks in it, none of which needs another."""

    def main() -> None:
        group = resources.ResourceGroup("rg", resource_group_name="rg-t", location=LOCATION)
        for number, name in enumerate(names):
            network.VirtualNetwork(
                name,
                virtual_network_name=name,
                resource_group_name=group.name,
                location=LOCATION,
                address_space=network.AddressSpaceArgs(address_prefixes=[f"10.{number}.0.0/16"]),
                tags={"tag": tag},
            )

    return main


def opened(sandbox: Sandbox) -> Store:
    (sandbox.root / ".sandbox" / "cloud").mkdir(parents=True, exist_ok=True)
    return sandbox.store


def fail(sandbox: Sandbox, code: str, name: str = "*", times: int = 1) -> None:
    store = opened(sandbox)
    faults.add(store, faults.make(code=code, type_="VirtualNetwork", name=name, times=times))
    store.close()


def waiting(sandbox: Sandbox) -> int:
    store = opened(sandbox)
    count = sum(fault.times for fault in faults.listed(store))
    store.close()
    return count


def names(sandbox: Sandbox) -> list[str]:
    return sorted(resource_id.rpartition("/")[2] for resource_id in sandbox.ids())


def test_what_azures_contract_says_to_repeat_is_repeated(sandbox: Sandbox) -> None:
    codes = {
        "throttled": "TooManyRequests",
        "broken": "InternalServerError",
        "slow": "GatewayTimeout",
        "busy": "AnotherOperationInProgress",
    }
    for name, code in codes.items():
        fail(sandbox, code, name, times=3)
    assert sandbox.stack(networks(*codes)).up().changes == {"create": 6}
    assert waiting(sandbox) == 0


def test_a_fourth_answer_of_that_kind_is_the_last(sandbox: Sandbox) -> None:
    fail(sandbox, "ServiceUnavailable", times=4)
    with pytest.raises(ResourceError) as caught:
        sandbox.stack(networks("vnet")).up()
    assert 'Status=503 Code="ServiceUnavailable" Message="The service is unavailable."' in errors(caught)
    assert waiting(sandbox) == 0


def test_a_refusal_ends_one_resource_and_the_rest_is_finished(sandbox: Sandbox) -> None:
    fail(sandbox, "SkuNotAvailable", "bad")
    stack = sandbox.stack(networks("bad", "good", "other"))
    with pytest.raises(ResourceError) as caught:
        stack.up()
    assert caught.value.exit_code is ExitCode.RESOURCE
    assert 'Status=409 Code="SkuNotAvailable"' in errors(caught)
    assert "is currently not available in location 'eastus'" in errors(caught)
    assert names(sandbox) == ["good", "other", "rg-t"]
    assert stack.up().changes == {"create": 1, "same": 4}
    assert names(sandbox) == ["bad", "good", "other", "rg-t"]


def test_a_failed_creation_is_kept_and_the_next_run_mends_it(sandbox: Sandbox) -> None:
    fail(sandbox, "AllocationFailed", "vnet")
    stack = sandbox.stack(networks("vnet"))
    with pytest.raises(ResourceError) as caught:
        stack.up()
    assert 'Code="AllocationFailed"' in errors(caught)
    assert names(sandbox) == ["rg-t", "vnet"]
    # Azure has it in state Failed, the engine's state has it with an initialisation error: the next run updates it.
    assert stack.up().changes == {"same": 2, "update": 1}
    assert stack.up(RunOptions(expect_no_changes=True)).changes == {"same": 3}
    assert stack.destroy().changes == {"delete": 3}
    assert sandbox.ids() == []


def test_a_failed_update_is_tried_again(sandbox: Sandbox) -> None:
    sandbox.stack(networks("vnet")).up()
    fail(sandbox, "OverconstrainedAllocationRequest")
    changed = sandbox.stack(networks("vnet", tag="b"))
    with pytest.raises(ResourceError):
        changed.up()
    assert changed.up().changes == {"same": 2, "update": 1}
    assert changed.up(RunOptions(expect_no_changes=True, refresh=True)).changes == {"same": 3}


def test_a_failed_deletion_keeps_the_resource(sandbox: Sandbox) -> None:
    sandbox.stack(networks("vnet")).up()
    fail(sandbox, "InUseSubnetCannotBeDeleted")
    with pytest.raises(ResourceError) as caught:
        sandbox.stack(networks("vnet")).destroy()
    assert 'Code="InUseSubnetCannotBeDeleted"' in errors(caught)
    assert names(sandbox) == ["rg-t", "vnet"]
    sandbox.stack(networks("vnet")).destroy()
    assert sandbox.ids() == []


def test_no_answer_leaves_the_resource_in_the_cloud(sandbox: Sandbox) -> None:
    fail(sandbox, "ConnectionReset", "lost")
    fail(sandbox, "OperationTimedOut", "slow")
    with pytest.raises(EngineError) as caught:
        sandbox.stack(networks("lost", "slow")).up()
    assert "connection reset by peer" in errors(caught)
    assert "operation timed out" in errors(caught)
    assert names(sandbox) == ["lost", "rg-t", "slow"]


def test_operations_take_time_and_end(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_SANDBOX_TIME_SCALE", "0.001")

    def program() -> None:
        group = resources.ResourceGroup("rg", resource_group_name="rg-t", location=LOCATION)
        vnet = network.VirtualNetwork(
            "vnet",
            virtual_network_name="vnet",
            resource_group_name=group.name,
            location=LOCATION,
            address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/16"]),
        )
        # All at once: Azure takes one at a time, and the provider comes again after 20, 60 and 120 seconds.
        for number in range(3):
            network.Subnet(
                f"s{number}",
                subnet_name=f"s{number}",
                resource_group_name=group.name,
                virtual_network_name=vnet.name,
                address_prefix=f"10.0.{number}.0/24",
            )
        pulumi.export("state", vnet.provisioning_state)

    fail(sandbox, "SuccessReportedLate")
    stack = sandbox.stack(program)
    made = stack.up()
    assert made.changes == {"create": 6}
    assert made.outputs["state"] == "Succeeded"
    assert stack.up(RunOptions(expect_no_changes=True, refresh=True)).changes == {"same": 6}


def test_a_region_that_is_down_and_comes_back(sandbox: Sandbox) -> None:
    stack = sandbox.stack(networks("vnet"))
    store = opened(sandbox)
    outages.add(store, LOCATION)
    with pytest.raises(ResourceError) as caught:
        stack.up()
    assert 'Status=503 Code="ServiceUnavailable"' in errors(caught)
    outages.remove(store, LOCATION)
    store.close()
    assert stack.up().changes["create"] == 2


def test_an_edit_behind_the_tools_back_shows_as_drift_and_is_undone(sandbox: Sandbox) -> None:
    stack = sandbox.stack(networks("vnet"))
    stack.up()
    store = sandbox.store
    key = next(key for key, _ in store.items("/") if key.endswith("/vnet"))
    drift.edit(store, key, [drift.Assignment(path=("tags", "tag"), value="by hand")], force=False)
    assert stack.preview(RunOptions(refresh=True)).changes["update"] == 1
    assert stack.up(RunOptions(refresh=True)).changes["update"] == 1
    record = store.get(key)
    assert record is not None
    assert record["outputs"]["tags"] == {"tag": "a"}
    store.close()

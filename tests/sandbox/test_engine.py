"""The sandbox under the real engine, through the door that everything else uses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pulumi
import pytest
from pulumi_azure_native import containerservice, managedidentity, network, resources

from gpufleet.engine import SECRET, EngineError, RunOptions
from tests.sandbox.engine import Sandbox, errors
from tests.sandbox.program import LOCATION, everything

# When the engine ends a run that failed, the SDK's server for inline programs leaves its event loop unclosed; that is
# collected, and forgiven, in the test that made it.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def test_one_of_each_type_comes_up_stays_refreshes_and_goes(sandbox: Sandbox) -> None:
    stack = sandbox.stack(everything)
    planned = stack.preview()
    made = stack.up()
    assert planned.changes == made.changes == {"create": 43}
    assert made.diagnostics == ()
    assert set(made.outputs) == {"fqdn", "principal"}
    assert str(made.outputs["fqdn"]).endswith(".hcp.eastus.azmk8s.io")
    assert (
        len(sandbox.ids()) == 42
    )  # the stack and the Kubernetes provider live in the state only; the node group in the cloud only
    assert stack.up(RunOptions(expect_no_changes=True, refresh=True)).changes == {"same": 43}
    assert stack.destroy().changes == {"delete": 43}
    assert sandbox.ids() == []


def networks(tag: str = "a", count: int = 1, location: str = LOCATION) -> Callable[[], None]:
    """A resource group and some networks in it."""

    def main() -> None:
        group = resources.ResourceGroup("rg", resource_group_name="rg-t", location=LOCATION)
        for index in range(count):
            network.VirtualNetwork(
                f"vnet-{index}",
                virtual_network_name=f"vnet-{index}",
                resource_group_name=group.name,
                location=location,
                address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/16"]),
                tags={"tag": tag},
            )

    return main


def test_a_preview_after_up_shows_the_change_that_up_makes(sandbox: Sandbox) -> None:
    sandbox.stack(networks()).up()
    changed = sandbox.stack(networks(tag="b", count=2))
    assert changed.preview().changes == {"create": 1, "update": 1, "same": 2}
    done = changed.up()
    assert done.changes == {"create": 1, "update": 1, "same": 2}
    updated = next(step for step in done.steps if step.op == "update")
    assert [(change.path, change.old, change.new) for change in updated.diffs] == [("tags.tag", "a", "b")]


def test_a_program_without_resources_of_a_type_again_removes_them(sandbox: Sandbox) -> None:
    def group() -> None:
        resources.ResourceGroup("rg", location=LOCATION)

    sandbox.stack(group).up()
    [resource_id] = sandbox.ids()
    assert len(resource_id.rpartition("/")[2]) == len("rg") + 8
    sandbox.stack(lambda: None).up()
    assert sandbox.ids() == []


def test_mistakes_show_at_preview_with_their_paths(sandbox: Sandbox) -> None:
    def program() -> None:
        group = resources.ResourceGroup("rg", location=LOCATION)
        containerservice.AgentPool(
            "pool",
            agent_pool_name="Pool",
            resource_group_name=group.name,
            resource_name_="aks",
            gpu_profile=containerservice.GPUProfileArgs(driver="Non"),
            os_disk_size_gb=4096,
            vm_size="Standard_ND96isr_H100_v5",
        )

    with pytest.raises(EngineError) as caught:
        sandbox.stack(program).preview()
    text = errors(caught)
    assert "'gpuProfile.driver' must be one of 'Install', 'None', but got 'Non'; did you mean 'None'?" in text
    assert "Traceback" not in text
    assert sandbox.ids() == []


def test_a_type_that_is_not_emulated_is_refused_by_name_at_preview(sandbox: Sandbox) -> None:
    def program() -> None:
        network.RouteTable("routes", resource_group_name="rg", location=LOCATION)

    with pytest.raises(EngineError) as caught:
        sandbox.stack(program).preview()
    assert "the sandbox does not emulate 'azure-native:network:RouteTable'" in errors(caught)


def test_azures_own_words_when_a_parent_is_missing(sandbox: Sandbox) -> None:
    def program() -> None:
        managedidentity.UserAssignedIdentity("id", resource_name_="id-t", resource_group_name="rg-none")

    with pytest.raises(EngineError) as caught:
        sandbox.stack(program).up()
    text = errors(caught)
    assert 'Status=404 Code="ResourceGroupNotFound" Message="Resource group \'rg-none\' could not be found."' in text
    assert "Traceback" not in text


def test_a_fixed_property_replaces_and_the_cloud_ends_with_one(sandbox: Sandbox) -> None:
    sandbox.stack(networks()).up()
    assert sandbox.stack(networks(location="East US")).preview().changes == {"same": 3}
    assert sandbox.stack(networks(location="westus")).up().changes == {"replace": 1, "same": 2}
    assert [item.rpartition("/")[2] for item in sandbox.ids()] == ["rg-t", "vnet-0"]


def test_what_somebody_deleted_in_the_cloud_comes_back_after_a_refresh(sandbox: Sandbox) -> None:
    stack = sandbox.stack(networks())
    stack.up()
    store = sandbox.store
    with store.transaction() as transaction:
        [gone] = [key for key in transaction.under("/") if key.endswith("/vnet-0")]
        transaction.delete(gone)
    store.close()
    assert stack.preview().changes == {"same": 3}
    assert stack.refresh().changes == {"delete": 1, "same": 2}
    assert stack.up().changes == {"create": 1, "same": 2}


def test_secrets_stay_secret_in_outputs_and_state(sandbox: Sandbox) -> None:
    def program() -> None:
        token = pulumi.Output.secret("planted-marker")
        group = resources.ResourceGroup("rg", resource_group_name="rg-t", location=LOCATION, tags={"token": token})
        pulumi.export("tags", group.tags)

    stack = sandbox.stack(program)
    done = stack.up()
    assert done.outputs == {"tags": SECRET}
    assert "planted-marker" not in json.dumps(stack.export())
    assert stack.refresh().changes == {"same": 2}
    assert "planted-marker" not in json.dumps(stack.export())


def test_kubeconfigs_are_secret(sandbox: Sandbox) -> None:
    def program() -> None:
        group = resources.ResourceGroup("rg", resource_group_name="rg-t", location=LOCATION)
        cluster = containerservice.ManagedCluster(
            "aks",
            resource_name_="aks-t",
            resource_group_name=group.name,
            location=LOCATION,
            dns_prefix="t",
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.SYSTEM_ASSIGNED
            ),
            aad_profile=containerservice.ManagedClusterAADProfileArgs(managed=True),
            agent_pool_profiles=[
                containerservice.ManagedClusterAgentPoolProfileArgs(
                    name="system", mode="System", count=1, vm_size="Standard_D4s_v5"
                )
            ],
        )
        found = containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=group.name, resource_name=cluster.name
        )
        text = found.apply(lambda credentials: base64.b64decode(credentials.kubeconfigs[0].value).decode())
        pulumi.export("kubeconfig", text)
        pulumi.export(
            "server", pulumi.Output.unsecret(text.apply(lambda it: json.loads(it)["clusters"][0]["cluster"]["server"]))
        )
        pulumi.export("fqdn", cluster.fqdn)

    outputs = sandbox.stack(program).up().outputs
    assert outputs["kubeconfig"] == SECRET
    assert outputs["server"] == f"https://{outputs['fqdn']}:443"

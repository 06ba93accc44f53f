"""The offline plan is the engine's own preview: same resources, parents, properties, dependencies, protection."""

from __future__ import annotations

import asyncio
import gc
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.engine.install import ensure_engine
from gpufleet.engine.sandbox_home import prepare_home, prepare_stacks, sandbox_environment
from gpufleet.errors import ConfigurationError
from gpufleet.graph import UNKNOWN, Graph, Node, state
from gpufleet.graph.offline import plan
from gpufleet.spec import load
from sandbox.azure.model import SANDBOX_SUBSCRIPTION

ROOT = Path(__file__).parents[2]
STACKS = ("dev", "staging", "prod", "frontier")
POOL = "azure-native:containerservice:AgentPool"
CLUSTER = "azure-native:containerservice:ManagedCluster"


def planned(stack: str, subscription_id: str | None = None) -> Graph:
    return plan(stack, load(ROOT / "stacks" / f"Pulumi.{stack}.yaml").environment, subscription_id=subscription_id)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A shell in which plain `pulumi` works on the committed stacks, in a sandbox of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path_factory.mktemp("sandbox")))
        engine = ensure_engine()
        prepare_home(ROOT)
        prepare_stacks(ROOT, STACKS, engine)
        yield sandbox_environment(ROOT, engine).applied()


@pytest.mark.engine
@pytest.mark.parametrize(
    "stack", [pytest.param(stack, marks=() if stack == "prod" else pytest.mark.soak) for stack in STACKS]
)
def test_the_plan_is_the_engines_preview(stack: str, sandbox: dict[str, str]) -> None:
    command = ["pulumi", "preview", "--stack", stack, "--json", "--non-interactive"]
    answer = subprocess.run(command, cwd=ROOT, env=sandbox, capture_output=True, text=True, check=True)
    previewed = state.read(answer.stdout)
    offline = planned(stack, SANDBOX_SUBSCRIPTION)
    assert len(offline) > 90
    assert [node.urn for node in offline] == [node.urn for node in previewed]
    different = [(ours, theirs) for ours, theirs in zip(offline, previewed, strict=True) if ours != theirs]
    assert different == []


def test_a_pool_leads_to_its_cluster_and_its_region() -> None:
    graph = planned("dev")
    (pool,) = [node for node in graph.of(POOL) if node.at("nodeLabels", "gpufleet.io/pool") == "h100"]
    assert (pool.at("vmSize"), pool.at("count"), pool.at("scaleSetPriority")) == (
        "Standard_ND96isr_H100_v5",
        2,
        "Regular",
    )
    assert pool.at("resourceName") is UNKNOWN
    (cluster,) = graph.sources(pool, "resourceName", CLUSTER)
    assert cluster.at("location") == "eastus"
    fabric = graph.ancestor(pool, "gpufleet:training:TrainingFabric")
    assert fabric is not None
    assert fabric.name == "lab"


def test_without_a_subscription_what_is_made_from_it_is_unknown() -> None:
    (account,) = planned("dev").of("azure-native:storage:StorageAccount")
    assert account.at("accountName") is UNKNOWN
    (account,) = planned("dev", "1").of("azure-native:storage:StorageAccount")
    name = account.at("accountName")
    assert isinstance(name, str)
    assert name.startswith("stdevlab")


def test_no_secret_is_in_a_plan() -> None:
    graph = planned("dev")
    providers = graph.of("pulumi:providers:kubernetes")
    assert [repr(node.at("kubeconfig")) for node in providers] == ["[secret]"] * 2


def test_two_plans_are_equal_and_leave_nothing_behind() -> None:
    gc.enable()
    first = planned("dev")
    assert planned("dev") == first
    assert gc.isenabled()
    with pytest.raises(RuntimeError, match="event loop"):
        asyncio.get_running_loop()


def test_what_the_program_refuses_is_an_error_for_people() -> None:
    environment = load(ROOT / "stacks" / "Pulumi.dev.yaml").environment
    with pytest.raises(ConfigurationError, match="'Not_A_Name' cannot be part of Azure names"):
        plan("Not_A_Name", environment)
    assert len(planned("dev")) > 90  # and the next plan is not disturbed


def test_every_parent_and_dependency_is_in_the_graph() -> None:
    graph = planned("frontier")

    def named(node: Node) -> set[str]:
        sources = {urn for urns in node.property_dependencies.values() for urn in urns}
        return {node.parent, node.provider, node.deleted_with, *node.dependencies, *sources} - {""}

    assert {urn for node in graph for urn in named(node)} <= {node.urn for node in graph}
    assert len(graph.of(POOL)) == 128


@pytest.mark.engine
def test_a_run_in_the_same_process_is_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpufleet.engine.stack import EnvironmentStack

    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path))
    before = planned("dev")
    result = EnvironmentStack("dev", root=ROOT, sandbox=True).preview()
    assert dict(result.changes) == {"create": len(before)}
    assert planned("dev") == before

"""A plan without the SDKs is the plan with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gpufleet.graph import Graph, offline, standin
from gpufleet.graph.standin import sources
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.spec import Environment, load, parse_environment
from tests.spec.environments import CLUSTER, DATA, GONE, NETWORK, POOL, SERVE, changed

ROOT = Path(__file__).parents[3]
SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
STORAGE = ("training", 0, "storage")
SPOT = {
    "name": "ncspot",
    "sku": "Standard_NC40ads_H100_v5",
    "priority": "spot",
    "spotMaxPrice": 3.5,
    "nodes": {"min": 0, "max": 2},
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes")


def same(
    stack: str, environment: Environment, shapes: Path | None, subscription_id: str | None = SUBSCRIPTION
) -> Graph:
    """The plan, when both are equal."""
    ours = standin.plan(stack, environment, shapes, subscription_id=subscription_id)
    theirs = offline.plan(stack, environment, subscription_id=subscription_id)
    assert [node.urn for node in ours] == [node.urn for node in theirs]
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []
    return ours


@pytest.mark.parametrize(("stack", "nodes"), [("dev", 136), ("staging", 181), ("prod", 538), ("frontier", 426)])
def test_of_every_stack(stack: str, nodes: int, shapes: Path) -> None:
    environment = load(ROOT / "stacks" / f"Pulumi.{stack}.yaml").environment
    assert len(same(stack, environment, shapes)) == nodes


def test_of_a_subscription_that_is_not_known(shapes: Path) -> None:
    same("x", plain(), shapes, subscription_id=None)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {("class",): "production", (*CLUSTER, "apiServer"): {"private": True}},
        {("class",): "ephemeral", (*CLUSTER, "apiServer"): {"authorizedIpRanges": ["203.0.113.0/24"]}},
        {(*CLUSTER, "adminGroupObjectIds"): ["5f3c2b1a-0000-4000-8000-000000000001"], (*NETWORK, "natPublicIps"): 4},
        {("inference",): GONE},
        {("training",): []},
        {(*STORAGE, "lustre"): GONE, (*STORAGE, "blob"): {"tier": "premium", "containers": ["one", "two"]}},
        {("inference", "regions", 0, "pools", 1): SPOT},
        {(*SERVE, "maxPods"): 60, (*SERVE, "labels"): {"team": "a"}, (*SERVE, "taints"): ["team=a:NoSchedule"]},
        {(*POOL, "upgrade"): {"maxSurge": "10%", "nodeSoakMinutes": 5}, (*DATA, "upgrade"): {"maxUnavailable": "2"}},
        {(*POOL, "nodes"): 250, (*POOL, "zones"): ["1"], (*DATA, "zones"): ["1"]},
        {("budget", "alerts"): [{"kind": "actual", "percent": 12.5}, {"kind": "forecasted", "percent": 100}]},
        {("tags",): {"purpose": "a test"}, (*POOL, "osDiskGiB"): 512},
    ],
    ids=lambda changes: "_".join(str(path[-1]) for path in changes) or "plain",
)
def test_of_other_environments(changes: dict[tuple[str | int, ...], object], shapes: Path) -> None:
    assert len(same("x", parse_environment(changed(changes)), shapes)) > 30


def test_the_sdks_are_not_imported(shapes: Path) -> None:
    program = """
import sys
from pathlib import Path
from gpufleet.graph import standin
from gpufleet.spec import load
graph = standin.plan("dev", load(Path("stacks/Pulumi.dev.yaml")).environment, Path(sys.argv[1]))
print(len(graph), *{"pulumi", "pulumi_azure_native", "pulumi_kubernetes", "grpc", "google"} & set(sys.modules))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program, str(shapes)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "136\n"


def plain() -> Environment:
    return parse_environment(changed({}))


def test_what_was_read_of_the_sdks_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = standin.plan("x", plain(), tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.read_text()

    def read(package: str, name: str) -> None:
        raise AssertionError(f"{package}.{name} was known")

    monkeypatch.setattr(sources, "read", read)
    assert standin.plan("x", plain(), tmp_path) == first
    assert file.read_text() == written


@pytest.mark.parametrize("damage", ["{}", "cut"])
def test_a_damaged_file_is_read_anew(damage: str, tmp_path: Path) -> None:
    first = standin.plan("x", plain(), tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.read_text()
    file.write_text(written[:-10] if damage == "cut" else damage)
    assert standin.plan("x", plain(), tmp_path) == first
    assert file.read_text() == written


def test_a_folder_that_cannot_be_used_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert standin.plan("x", plain(), tmp_path / "file" / "sdk") == standin.plan("x", plain(), None)


def test_variables_of_the_sdk_are_left_to_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    with pytest.raises(NotStoodInError, match=r"Provider\.delete_unreachable from the environment"):
        standin.plan("x", plain(), tmp_path)
    graph = offline.plan("x", plain())
    assert {node.at("deleteUnreachable") for node in graph.of("pulumi:providers:kubernetes")} == {"true"}


def test_what_the_program_refuses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="cannot be part of Azure names"):
        standin.plan("Not_A_Name", plain(), tmp_path)
    assert len(standin.plan("x", plain(), tmp_path)) > 50  # and the next one is not disturbed

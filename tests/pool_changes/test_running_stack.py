"""Pools that are grown, shrunk, rotated, renamed and moved on a running stack, by the real engine in the sandbox.

One stack, one change after the other: what is asserted is the whole list of the engine's steps.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from gpufleet.errors import ExitCode
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools
from tests.pool_changes.fabric import Fabric, Spec, Step, make_fabric, pool

# Many runs of the engine in one test: a minute alone, five beside others on two cores.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

QUOTA: Step = ("update", "lab-queue-cluster-queue-default")
"""The team's quota is what the pools have: it follows their size, and nothing else does."""


@pytest.fixture
def fabric(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Fabric:
    """The running fabric; the first test of a worker deploys it, the others take a copy."""
    made = make_fabric(tmp_path, monkeypatch, capsys)
    kept = tmp_path_factory.getbasetemp() / "running-fabric"
    if kept.exists():
        shutil.copytree(kept, tmp_path / "sandbox", symlinks=True)
        return made
    first = made.run("up", "--yes", "--skip-preview")
    assert first.outcome.code == 0, first.outcome.err
    assert {op for op, _ in first.steps} == {"create"}
    shutil.copytree(tmp_path / "sandbox", kept, symlinks=True)
    return made


NAMES_POOLS = {"lab-priorities-configmap", "lab-queue-resource-flavor-h100", "lab-volumes-lustre-driver"}
"""What says something of the pools themselves: their priority, their taints, who tolerates these."""


def names(spec: Spec, name: str) -> list[str]:
    """Logical names of a pool's agent pools."""
    return [f"lab-{plan.name}" for plan in agent_pools(Pool.model_validate(pool(spec, name)))]


def environment(fabric: Fabric) -> Spec:
    found: Spec = fabric.document["config"]["gpufleet:environment"]
    return copy.deepcopy(found)


def steps(op: str, found: list[str]) -> list[Step]:
    return [(op, name) for name in found]


def test_growing_shrinking_and_rotating(fabric: Fabric) -> None:
    four = names(environment(fabric), "h100")
    assert len(four) == 4

    # A fifth domain: one create, and none of the four is touched.
    grown = fabric.change(lambda spec: pool(spec, "h100").update(nodes=10))
    five = names(environment(fabric), "h100")
    assert five[:4] == four
    assert list(grown.steps) == [("create", five[4]), QUOTA]

    # Half a domain less: the last one is smaller.
    less = fabric.change(lambda spec: pool(spec, "h100").update(nodes=9))
    assert list(less.steps) == [("update", five[4]), QUOTA]
    assert [one["change"] for one in less.pools] == ["resized"]

    # Back to four: the last domain alone goes.
    shrunk = fabric.change(lambda spec: pool(spec, "h100").update(nodes=8))
    assert list(shrunk.steps) == [("delete", five[4]), QUOTA]

    # Within an autoscaled range: one update in place.
    (data,) = names(environment(fabric), "data")
    resized = fabric.change(lambda spec: pool(spec, "data").update(nodes={"min": 0, "max": 3}))
    assert list(resized.steps) == [("update", data)]

    # Another zone: the pool rotates, and neither network nor storage moves with it.
    moved = fabric.change(lambda spec: pool(spec, "data").update(zones=["2"]))
    (there,) = names(environment(fabric), "data")
    assert sorted(moved.steps) == sorted([("create", there), ("delete", data)])

    # A field that AKS can't change: new ones come, then the old ones go, and nothing else happens.
    rotated = fabric.change(lambda spec: pool(spec, "h100").update(osDiskGiB=512))
    new = names(environment(fabric), "h100")
    assert not set(new) & set(four)
    assert sorted(rotated.steps) == sorted(steps("create", new) + steps("delete", four))
    assert [verb for verb, _ in rotated.order] == ["created"] * 4 + ["deleted"] * 4
    (said,) = rotated.pools
    assert (said["change"], said["fields"]) == ("rotates", [{"field": "osDiskGiB", "old": 256, "new": 512}])
    # 8 nodes at $98.32, for 933 s as 16 min (gpufleet/catalog/data).
    assert said["overlap"] == {
        "nodes": 8, "minutes": 16, "hourlyUsd": "786.560000", "usd": "209.75", "unpriced": None
    }  # fmt: skip


def test_a_rotation_without_capacity_leaves_the_old_nodes(fabric: Fabric) -> None:
    old = names(environment(fabric), "h100")
    fabric.edit(lambda spec: pool(spec, "h100").update(osDiskGiB=512))
    new = names(environment(fabric), "h100")
    third = new[2].removeprefix("lab-")
    fabric.gpufleet("sandbox", "fail", "add", "--type", "AgentPool", "--name", third, "--code", "AllocationFailed")

    failed = fabric.run("up", "--yes", "--skip-preview")
    assert failed.outcome.code == ExitCode.RESOURCE
    assert [verb for verb, _ in failed.order if verb == "deleted"] == []
    listed = fabric.gpufleet("sandbox", "list", "--type", "AgentPool", "--format", "json").document["resources"]
    assert {f"lab-{one['name']}" for one in listed} >= set(old)

    # With capacity the same command goes on: the old ones are still part of a rotation.
    done = fabric.run("up", "--yes", "--skip-preview")
    assert done.outcome.code == 0, done.outcome.err
    assert set(steps("delete", old)) <= set(done.steps)
    assert [one["change"] for one in done.pools] == ["rotates"]


def test_jobs_hold_their_nodes(fabric: Fabric) -> None:
    jobs = ("sandbox", "jobs")
    old = [name.removeprefix("lab-") for name in names(environment(fabric), "h100")]
    first = ("--fabric", "lab", "--pool", "h100", "--nodes", "2", "--name", "llama", "--team", "nlp")
    assert fabric.gpufleet(*jobs, "add", "t", *first, "--agent-pool", old[3]).code == 0

    # Six nodes stay, the job needs two: but it runs in the domain that goes.
    before = copy.deepcopy(fabric.document)
    fabric.edit(lambda spec: pool(spec, "h100").update(nodes=6))
    shown = fabric.run("preview")
    assert shown.outcome.code == 0
    (running,) = shown.pools[0]["runningJobs"]
    assert (running["agentPool"], running["nodesLeft"], running["nodesNeeded"]) == (old[3], 0, 2)
    assert [(job["team"], job["nodes"]) for job in running["jobs"]] == [("nlp", 2)]
    for options in (("--yes",), ("--yes", "--skip-preview")):
        refused = fabric.run("up", *options)
        assert refused.outcome.code == ExitCode.PREFLIGHT
        assert (
            f"pool h100 of lab, agent pool {old[3]}: none of 2 nodes would stay, running jobs hold 2"
            in refused.outcome.err
        )
        assert refused.order == ()

    # Another zone for the GPU pool: the file system would have to follow.
    fabric.undo(before)
    fabric.edit(lambda spec: pool(spec, "h100").update(zones=["2"]))
    moved = fabric.run("up", "--yes", "--skip-preview", "--despite-jobs")
    assert moved.outcome.code == ExitCode.PREFLIGHT
    assert "lab-storage-amlfs is in zone 1 and would have to be in 2" in moved.outcome.err
    assert "lab-network" not in moved.outcome.err

    # A rotation takes all nodes.
    fabric.undo(before)
    fabric.edit(lambda spec: pool(spec, "h100").update(maxPods=60))
    assert fabric.run("up", "--yes", "--skip-preview").outcome.code == ExitCode.PREFLIGHT

    # A domain without a job may go, and any when somebody wants it.
    listed = fabric.gpufleet("sandbox", "jobs", "list", "t", "--format", "json").document["jobs"]
    assert [(job["name"], job["team"], len(job["nodes"])) for job in listed] == [("default/llama", "nlp", 2)]
    assert fabric.gpufleet("sandbox", "jobs", "remove", "t", "llama").code == 0
    assert fabric.gpufleet("sandbox", "jobs", "add", "t", *first, "--agent-pool", old[0]).code == 0
    fabric.undo(before)
    fabric.edit(lambda spec: pool(spec, "h100").update(nodes=6))
    done = fabric.run("up", "--yes", "--skip-preview")
    assert (done.outcome.code, list(done.steps)) == (0, [("delete", f"lab-{old[3]}"), QUOTA])
    fabric.edit(lambda spec: pool(spec, "h100").update(nodes=2, maxPods=60))
    assert fabric.run("up", "--yes", "--skip-preview", "--despite-jobs").outcome.code == 0


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("data", "sku", "Standard_D16s_v5"),
        ("h100", "maxPods", 60),
        ("h100", "taints", ["team=a:NoSchedule"]),
        ("data", "priority", "spot"),
    ],
)
def test_every_field_that_aks_cannot_change_rotates(fabric: Fabric, name: str, field: str, value: object) -> None:
    old = names(environment(fabric), name)
    rotated = fabric.change(lambda spec: pool(spec, name).update({field: value}))
    new = names(environment(fabric), name)
    pools = [step for step in rotated.steps if step[1] in {*old, *new}]
    assert sorted(pools) == sorted(steps("create", new) + steps("delete", old))
    assert [one["change"] for one in rotated.pools] == ["rotates"]
    assert field in {one["field"] for one in rotated.pools[0]["fields"]}
    # What names the pools may change with them; the cluster, the network and the storage may not.
    assert {name for _, name in rotated.steps} - {*old, *new} <= NAMES_POOLS


@pytest.mark.soak
def test_renaming_moving_and_the_system_pool(fabric: Fabric) -> None:
    old = names(environment(fabric), "h100")
    renamed = fabric.change(lambda spec: pool(spec, "h100").update(name="hopper"))
    new = names(environment(fabric), "hopper")
    assert set(steps("create", new) + steps("delete", old)) <= set(renamed.steps)
    assert [(one["change"], one["to"]) for one in renamed.pools] == [("renamed", "hopper")]

    # Another zone for every pool; Lustre stays where it is said to be, and the specification refuses the mismatch.
    def zone(spec: Spec) -> None:
        for one in spec["training"][0]["pools"]:
            one["zones"] = ["2"]

    before = copy.deepcopy(fabric.document)
    fabric.edit(lambda spec: spec["training"][0]["storage"]["lustre"].update(zone="1"))
    fabric.edit(zone)
    refused = fabric.gpufleet("preview", "t", "--sandbox", "--no-check")
    assert refused.code == ExitCode.CONFIGURATION
    assert "storage.lustre.zone: 1 is not a zone of the GPU pools (2)" in refused.err
    fabric.undo(before)

    # From a number to a range and back: the first domain stays.
    hopper = names(environment(fabric), "hopper")
    ranged = fabric.change(lambda spec: pool(spec, "hopper").update(nodes={"min": 0, "max": 2}))
    assert set(steps("delete", hopper[1:])) | {("update", hopper[0])} <= set(ranged.steps)
    assert [name for op, name in ranged.steps if op == "create" and name.startswith("lab-hopper")] == []
    numbered = fabric.change(lambda spec: pool(spec, "hopper").update(nodes=4))
    assert {("update", hopper[0]), ("create", hopper[1])} <= set(numbered.steps)

    # The system pool is inline: an update of the cluster, never a replacement of it. The preview, which does not know
    # the cluster's address while it changes, shows more of what is in the cluster than the run then does.
    fabric.edit(lambda spec: spec["training"][0]["cluster"].update(systemPool={"nodes": 5}))
    shown = fabric.run("preview")
    assert ("update", "lab-cluster-aks") in shown.steps
    system = fabric.run("up", "--yes", "--skip-preview")
    assert (system.outcome.code, list(system.steps)) == (0, [("update", "lab-cluster-aks")])

"""`preview --save` and `up --approved` on the real engine in the sandbox: what was approved is what happens."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml

from gpufleet.cli import approving
from gpufleet.cli.up import _update
from gpufleet.engine import project
from gpufleet.engine.approval import NotApprovedError
from gpufleet.engine.stack import EnvironmentStack
from gpufleet.errors import ExitCode
from tests.cli.command_line import Gpufleet, Outcome

pytestmark = pytest.mark.engine

SOURCE = Path(__file__).parents[2]
Spec = dict[str, Any]


def small() -> Spec:
    """Inference in two regions, without training: 56 resources."""
    document: Spec = yaml.safe_load((SOURCE / "stacks/Pulumi.dev.yaml").read_text(encoding="utf-8"))
    spec = document["config"]["gpufleet:environment"]
    del spec["training"]
    del spec["usage"]
    spec["allowedRegions"] = ["eastus", "westus2"]
    second = copy.deepcopy(spec["inference"]["regions"][0])
    second["name"] = "westus2"
    second["pools"] = [{"name": "t4", "sku": "Standard_NC4as_T4_v3", "nodes": {"min": 1, "max": 2}}]
    spec["inference"]["regions"].append(second)
    return document


class Checkout:
    """One stack, deployed in a sandbox of its own."""

    def __init__(self, root: Path, gpufleet: Gpufleet, approved: Path) -> None:
        self.root = root
        self.gpufleet = gpufleet
        self.approved = approved
        self.document = small()

    def edit(self, change: Callable[[Spec], object]) -> None:
        """Change the environment, from what was deployed."""
        document = copy.deepcopy(self.document)
        change(document["config"]["gpufleet:environment"])
        self.gpufleet.stack("t", yaml.safe_dump(document, sort_keys=False))

    def up(self, *more: str | Path) -> Outcome:
        return self.gpufleet("up", "t", "--sandbox", "--yes", "--approved", self.approved, *more)

    def state(self) -> bytes:
        return (self.root.parent / "sandbox/state/.pulumi/stacks/gpufleet/t.json").read_bytes()

    def refused(self, *more: str | Path) -> list[str]:
        """What `up` says when it refuses, and nothing has happened."""
        before = self.state()
        outcome = self.up(*more)
        assert outcome.code == ExitCode.UNEXPECTED_CHANGES, outcome.err
        assert self.state() == before
        said = outcome.err[outcome.err.index("error: ") :]
        return [line.strip() for line in said.splitlines()]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Checkout:
    root = tmp_path / "checkout"
    (root / "stacks").mkdir(parents=True)
    shutil.copy(SOURCE / "Pulumi.yaml", root)
    monkeypatch.setattr(project, "ROOT", root)
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path / "sandbox"))
    monkeypatch.setenv("GPUFLEET_SANDBOX_TIME_SCALE", "0")
    for name in ("GPUFLEET_SANDBOX_CLOUD", "PULUMI_BACKEND_URL", "PULUMI_STACK", "PULUMI_HOME", "CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    made = Checkout(root, Gpufleet(root, monkeypatch, capsys), tmp_path / "approved.json")
    made.edit(lambda _: None)
    return made


def regions(spec: Spec) -> list[Spec]:
    found: list[Spec] = spec["inference"]["regions"]
    return found


def test_what_was_approved_happens_and_nothing_else(checkout: Checkout) -> None:
    saved = checkout.gpufleet("preview", "t", "--sandbox", "--save", checkout.approved)
    assert (saved.code, saved.err.splitlines()[-1]) == (
        0,
        f"saved {checkout.approved}: digest {json.loads(checkout.approved.read_text())['digest']}",
    )
    assert stat.S_IMODE(checkout.approved.stat().st_mode) == 0o600
    assert [path.name for path in checkout.approved.parent.glob("*approved*")] == ["approved.json"]
    first = json.loads(checkout.approved.read_text())
    assert (first["target"]["environment"], first["target"]["sandbox"], first["git"]) == ("t", True, None)
    assert {step["op"] for step in first["steps"]} == {"create"}

    # Not what was approved, before anything exists.
    checkout.edit(lambda spec: regions(spec)[0]["pools"][0]["nodes"].update(max=3))
    said = checkout.refused()
    assert said[0] == f"error: t (sandbox): not as approved in {checkout.approved}, so nothing was changed"
    assert said[1] == "create AgentPool eastus-t48w (GPU pool): maxCount is another than shown"
    assert [line.partition(":")[0] for line in said[2:]] == [
        "cost at expected",
        "cost at ceiling",
        "To have it approved",
    ]

    # What was approved; a second time there is nothing left of it to do.
    checkout.edit(lambda _: None)
    done = checkout.up()
    assert (done.code, done.out.partition(" created")[0]) == (0, f"t (sandbox): {len(first['steps']) - 1}")
    again = checkout.up("--expect-no-changes")
    assert (again.code, again.out.partition(" in ")[0]) == (0, "t (sandbox): no changes")

    # The old approval shows no update, no delete, no other pool.
    def rotated(spec: Spec) -> None:
        regions(spec)[0]["pools"][0]["sku"] = "Standard_NC8as_T4_v3"

    def three(spec: Spec) -> None:
        rotated(spec)
        regions(spec)[0]["pools"][1]["nodes"]["max"] = 3
        regions(spec)[1]["pools"].append({"name": "more", "sku": "Standard_NC4as_T4_v3", "nodes": 1})

    checkout.edit(three)
    said = checkout.refused()
    assert "delete AgentPool eastus-t48w (GPU pool): only create was shown" in said
    assert [line.partition(" (GPU pool): ")[2] for line in said if line.startswith("create AgentPool ")] == [
        "was not shown",
        "was not shown",
    ]
    assert [line for line in said if line.startswith("update AgentPool eastus-t4spot")] == [
        "update AgentPool eastus-t4spotoj (GPU pool): maxCount is another than shown"
    ]

    checkout.edit(lambda spec: regions(spec).pop())
    said = checkout.refused()
    deleted = [line for line in said if line.startswith("delete ")]
    assert said[1 : len(deleted) + 1] == deleted  # all of them, and first
    assert "delete AgentPool westus2-t48w (GPU pool): only create was shown" in deleted
    assert "delete ManagedCluster westus2-cluster-aks (cluster): only create was shown" in deleted

    # Approved, the same change goes through, and only on the stack file as it is then.
    checkout.edit(rotated)
    assert checkout.gpufleet("preview", "t", "--sandbox", "--save", checkout.approved).code == 0
    steps = json.loads(checkout.approved.read_text())["steps"]
    assert sorted(step["op"] for step in steps if step["type"].endswith(":AgentPool")) == ["create", "delete"]
    # What the autoscaler prefers names the pool: a config map that can't change (three steps of the engine in one).
    assert [step["type"] for step in steps if step["op"] == "replace"] == ["kubernetes:core/v1:ConfigMap"]
    assert checkout.up().code == 0


def test_an_approval_is_held_against_before_the_engine_starts(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checkout.gpufleet("preview", "t", "--sandbox", "--save", checkout.approved).code == 0
    text = checkout.approved.read_text()

    checkout.gpufleet.stack("u", (checkout.root / "stacks" / "Pulumi.t.yaml").read_text())
    other = checkout.gpufleet("up", "u", "--sandbox", "--yes", "--approved", checkout.approved)
    assert other.code == ExitCode.UNEXPECTED_CHANGES
    assert f"--approved {checkout.approved} approves t in the sandbox" in other.err

    checkout.approved.write_text(text.replace('"op": "create"', '"op": "delete"', 1))
    assert "its digest does not fit, so it was changed since it was saved" in checkout.refused()[0]
    checkout.approved.write_text(text[: len(text) // 2])
    assert "is no approval: it is not JSON" in checkout.refused()[0]
    checkout.approved.write_text(text)

    later = approving.now() + dt.timedelta(days=8)
    monkeypatch.setattr(approving, "now", lambda: later)
    assert "more than 7 days ago" in checkout.refused()[0]
    checkout.edit(lambda spec: spec["prices"]["assumed"][1].update(usd=100))
    said = checkout.refused("--approved-max-age", "9")
    assert [line.partition(":")[0] for line in said[1:4]] == ["cost at floor", "cost at expected", "cost at ceiling"]


@pytest.mark.soak
def test_nobody_comes_in_between_the_preview_and_the_run(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkout.gpufleet("preview", "t", "--sandbox", "--save", checkout.approved).code == 0
    preview = EnvironmentStack.preview

    def meddled(self: EnvironmentStack, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as it is called
        result = preview(self, *arguments, **more)
        # The file changes after the preview: the run must not read it.
        checkout.edit(lambda spec: regions(spec).pop())
        return result

    monkeypatch.setattr(EnvironmentStack, "preview", meddled)
    assert checkout.up().code == 0
    assert b"::westus2-cluster-aks" in checkout.state()
    monkeypatch.setattr(EnvironmentStack, "preview", preview)

    checkout.edit(lambda _: None)
    export = EnvironmentStack.export
    seen: list[object] = []

    def changed(self: EnvironmentStack) -> Any:  # noqa: ANN401 - as it is called
        state = export(self)
        seen.append(state)
        if len(seen) < 2:
            return state
        return {**state, "deployment": {**state["deployment"], "resources": []}}

    with monkeypatch.context() as patched:
        patched.setattr(EnvironmentStack, "export", changed)
        outcome = checkout.up()
    assert outcome.code == ExitCode.UNEXPECTED_CHANGES
    assert "another run has changed the state since the preview, so nothing was changed" in outcome.err


def test_a_run_that_was_stopped_is_not_tried_again() -> None:
    # A run whose failed resources turn out to be there goes on by itself; this one must not.
    run = Mock(found_again=True, pools=None)
    run.phase.side_effect = NotApprovedError("delete AgentPool h100 has begun")
    with pytest.raises(NotApprovedError):
        _update(run, None, run.stack.up)
    assert run.phase.call_count == 1

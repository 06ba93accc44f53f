"""A release of a model through two regions, by the real engine in the sandbox: watched, taken back, cut off."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpufleet.cli.rollout_platform import WallClock
from gpufleet.engine import project
from gpufleet.errors import ExitCode
from sandbox.settings import set_setting, unset_setting
from sandbox.store import RESOURCES, Store
from tests.pool_changes.fabric import Fabric, Ran, Spec, make_fabric

pytestmark = [pytest.mark.soak, pytest.mark.engine, pytest.mark.timeout(1800)]

FIRST, SECOND, THIRD = (f"vllm/vllm-openai@sha256:{digit * 64}" for digit in "123")
REGIONS = ("eastus", "swedencentral")
_KILLED = """
import os, signal, sys
from pathlib import Path
from gpufleet.cli import rollout_platform
from gpufleet.engine import project
from gpufleet.engine.install import ensure_engine
ensure_engine()
project.ROOT = Path(sys.argv[1])
rollout_platform.WallClock.sleep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["gpufleet", *sys.argv[2:]]
from gpufleet.cli.app import main
main()
"""


def document() -> Spec:
    """Two production regions that serve one model in fp8, on one node of one H100 each."""
    source = Path(__file__).parents[2] / "stacks/Pulumi.dev.yaml"
    found: Spec = yaml.safe_load(source.read_text(encoding="utf-8"))
    spec = found["config"]["gpufleet:environment"]
    del spec["training"]
    spec["class"] = "production"
    spec["allowedRegions"] = list(REGIONS)
    pool = {"name": "nc", "sku": "Standard_NC40ads_H100_v5", "nodes": {"min": 1, "max": 3}}
    spec["inference"] = {
        "models": [
            {
                "name": "chat",
                "parametersB": 8,
                "precision": "fp8",
                "contextTokens": 8192,
                "demandTokensPerSecond": 1000,
                "image": FIRST,
                "weights": {"artifact": "models/chat-8b-fp8@sha256:" + "a" * 64},
            }
        ],
        "regions": [{"name": name, "pools": [pool]} for name in REGIONS],
    }
    return found


class Rollouts:
    """The stack, what its regions run, and roll-outs of another image."""

    def __init__(self, fabric: Fabric, sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fabric = fabric
        self.store = Store(sandbox / "cloud")
        self._monkeypatch = monkeypatch

    def release(self, image: str) -> None:
        self.fabric.edit(lambda spec: spec["inference"]["models"][0].update(image=image))

    def start(self, *more: str, watching: Callable[[], object] = lambda: None) -> int:
        """`gpufleet rollout start`; `watching` is called whenever it waits between two looks."""

        def sleep(clock: WallClock, seconds: float) -> None:
            watching()
            really(clock, seconds)

        really = WallClock.sleep
        with self._monkeypatch.context() as patch:
            patch.setattr(WallClock, "sleep", sleep)
            return self._run("start", "--no-check", *more)

    def back(self, *more: str) -> int:
        return self._run("back", *more)

    def status(self) -> dict[str, Any]:
        outcome = self.fabric.gpufleet("rollout", "status", "t", "--sandbox", "--format", "json")
        return dict(outcome.document)

    def stages(self) -> dict[str, str]:
        return {one["name"]: one["stage"] for one in self.status()["regions"]}

    def servers(self) -> dict[str, tuple[str, int]]:
        """Image and generation of each region's server: a Deployment that is touched has another generation."""
        found = {}
        for _, record in self.store.items(RESOURCES):
            body = record.get("object") or {}
            labels = (body.get("metadata") or {}).get("labels") or {}
            if body.get("kind") == "Deployment" and "gpufleet.io/server" in labels:
                region = next(name for name in REGIONS if f"-{name}" in record["id"].lower())
                containers = body["spec"]["template"]["spec"]["containers"]
                image = next(one["image"] for one in containers if one["image"].startswith("vllm/"))
                found[region] = (image, body["metadata"]["generation"])
        return found

    def images(self) -> dict[str, str]:
        return {region: image for region, (image, _) in self.servers().items()}

    def killed(self) -> tuple[int, str]:
        """`gpufleet rollout start` in a process of its own, killed at its first wait; its exit status and stderr."""
        arguments = ["rollout", "start", "t", "--sandbox", "--yes", "--no-check"]
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, str(project.ROOT), *arguments], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    def _run(self, command: str, *more: str) -> int:
        self.outcome = self.fabric.gpufleet("rollout", command, "t", "--sandbox", "--yes", *more)
        return self.outcome.code


@pytest.fixture
def rollouts(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Rollouts:
    """The running stack; the first test of a worker deploys it, the others take a copy."""
    fabric = make_fabric(tmp_path, monkeypatch, capsys, document())
    kept = tmp_path_factory.getbasetemp() / "running-inference"
    if kept.exists():
        shutil.copytree(kept, tmp_path / "sandbox", symlinks=True)
    else:
        first: Ran = fabric.run("up", "--yes", "--skip-preview")
        assert first.outcome.code == 0, first.outcome.err
        shutil.copytree(tmp_path / "sandbox", kept, symlinks=True)
    return Rollouts(fabric, tmp_path / "sandbox", monkeypatch)


def test_a_plain_up_is_refused_and_a_roll_out_goes_one_region_after_the_other(rollouts: Rollouts) -> None:
    before = rollouts.servers()
    assert {image for image, _ in before.values()} == {FIRST}
    rollouts.release(SECOND)
    refused = rollouts.fabric.run("up", "--yes")
    assert refused.outcome.code == ExitCode.UNEXPECTED_CHANGES
    assert "this changes the model servers of 2 regions at once" in refused.outcome.err
    assert rollouts.servers() == before

    seen: list[dict[str, str]] = []
    assert rollouts.start("--bake", "2", watching=lambda: seen.append(rollouts.images())) == 0, rollouts.outcome.err
    half, whole = {"eastus": SECOND, "swedencentral": FIRST}, dict.fromkeys(REGIONS, SECOND)
    # Two minutes each, with a look every 30 seconds.
    assert seen == [half] * 4 + [whole] * 4
    assert (rollouts.status()["status"], rollouts.stages()) == ("finished", dict.fromkeys(REGIONS, "done"))
    assert rollouts.fabric.run("preview").steps == ()

    assert rollouts.back("--write") == 0, rollouts.outcome.err
    assert rollouts.images() == dict.fromkeys(REGIONS, FIRST)
    text = (project.ROOT / "stacks/Pulumi.t.yaml").read_text(encoding="utf-8")
    assert FIRST in text
    assert rollouts.fabric.run("preview").steps == ()


def test_a_region_that_does_badly_goes_back_by_itself(rollouts: Rollouts) -> None:
    before = rollouts.servers()
    rollouts.release(SECOND)
    code = rollouts.start(watching=lambda: set_setting(rollouts.store, "signal", "eastus/error-percent", "7"))
    assert code == ExitCode.RESOURCE
    assert "7.0% of the requests fail, 1% may" in rollouts.outcome.err
    assert rollouts.images() == dict.fromkeys(REGIONS, FIRST)
    assert rollouts.servers()["swedencentral"] == before["swedencentral"]
    assert rollouts.stages() == {"eastus": "returned", "swedencentral": "waiting"}

    unset_setting(rollouts.store, "signal", "eastus/error-percent")
    rollouts.release(THIRD)
    assert rollouts.start("--bake", "0") == 0, rollouts.outcome.err
    assert rollouts.images() == dict.fromkeys(REGIONS, THIRD)


def test_a_region_whose_replica_lags_is_not_reached(rollouts: Rollouts) -> None:
    before = rollouts.servers()
    set_setting(rollouts.store, "replication", "eastus", "Lagging")
    rollouts.release(SECOND)
    assert rollouts.start() == ExitCode.PREFLIGHT
    assert "its registry replica lacks models/chat-8b-fp8@sha256:" in rollouts.outcome.err
    assert rollouts.servers() == before


def test_killed_while_a_region_is_watched_the_next_run_goes_on(rollouts: Rollouts) -> None:
    rollouts.release(SECOND)
    status, said = rollouts.killed()
    assert status == -signal.SIGKILL, said
    assert rollouts.images() == {"eastus": SECOND, "swedencentral": FIRST}
    assert (rollouts.status()["status"], rollouts.stages()["eastus"]) == ("running", "baking")
    assert rollouts.start() == ExitCode.CONFIGURATION
    assert "--resume goes on" in rollouts.outcome.err
    touched = rollouts.servers()["eastus"]
    assert rollouts.start("--resume", "--format", "json") == 0, rollouts.outcome.err
    assert json.loads(rollouts.outcome.out)["status"] == "finished"
    assert rollouts.images() == dict.fromkeys(REGIONS, SECOND)
    assert rollouts.servers()["eastus"] == touched

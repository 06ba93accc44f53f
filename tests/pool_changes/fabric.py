"""A stack in a sandbox of its own, changed by its stack file: a small training fabric, unless it is another."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpufleet.engine import project
from gpufleet.engine.install import ensure_engine
from tests.cli.command_line import Gpufleet, Outcome

SOURCE = Path(__file__).parents[2]
Spec = dict[str, Any]
Step = tuple[str, str]
"""Operation and logical name of the resource."""


def small() -> Spec:
    """One fabric of four InfiniBand domains of two nodes, a CPU pool and Lustre."""
    document: Spec = yaml.safe_load((SOURCE / "stacks/Pulumi.dev.yaml").read_text(encoding="utf-8"))
    spec = document["config"]["gpufleet:environment"]
    del spec["inference"]
    spec["usage"] = {"logsGbPerDay": 2}
    fabric = spec["training"][0]
    fabric["pools"] = [
        {
            "name": "h100",
            "sku": "Standard_ND96isr_H100_v5",
            "nodes": 8,
            "zones": ["1"],
            "infiniband": {"maxNodes": 2, "supportRequest": "2611210040001234"},
        },
        {"name": "data", "sku": "Standard_D32s_v5", "zones": ["1"], "nodes": {"min": 0, "max": 4}},
    ]
    return document


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One command, with what its document says.

    Attributes:
        steps: of what changes, sorted; in `order` as the engine ended them.
        pools: what happened to pools.
    """

    outcome: Outcome
    steps: tuple[Step, ...]
    order: tuple[Step, ...]
    pools: list[Any]


class Fabric:
    """The stack `t`, in a checkout and a sandbox of its own."""

    def __init__(self, gpufleet: Gpufleet, document: Spec) -> None:
        self.gpufleet = gpufleet
        self.document = document
        self.write()

    def edit(self, change: Callable[[Spec], object]) -> None:
        """Change the fabric for good."""
        change(self.document["config"]["gpufleet:environment"])
        self.write()

    def undo(self, document: Spec) -> None:
        """Back to an earlier version."""
        self.document = copy.deepcopy(document)
        self.write()

    def write(self) -> None:
        self.gpufleet.stack("t", yaml.safe_dump(self.document, sort_keys=False))

    def run(self, command: str, *more: str) -> Ran:
        """`gpufleet up` or `preview`, without the check: this is about what the engine does."""
        outcome = self.gpufleet(command, "t", "--sandbox", "--no-check", "--format", "json", *more)
        assert outcome.out, outcome.err
        document = outcome.document
        assert document["exitCode"] == outcome.code
        changed = [
            (resource["op"], resource["name"])
            for resource in document["resources"]
            if resource["custom"] and resource["op"] not in {"same", "read"}
        ]
        ended = [
            (verb, line.partition(": ")[0].split()[-3])
            for line in outcome.err.splitlines()
            for verb in ("created", "deleted", "updated")
            if f": {verb} in " in line
        ]
        return Ran(outcome=outcome, steps=tuple(sorted(changed)), order=tuple(ended), pools=document["pools"])

    def change(self, change: Callable[[Spec], object]) -> Ran:
        """Edit, preview, update; both do the same steps, and plan the pools alike, with the engine and without."""
        self.edit(change)
        shown = self.run("preview")
        assert shown.outcome.code == 0, shown.outcome.err
        done = self.run("up", "--yes", "--skip-preview")
        assert done.outcome.code == 0, done.outcome.err
        assert done.steps == shown.steps
        assert done.pools == shown.pools
        assert "replace" not in {op for op, _ in done.steps}
        return done


def pool(spec: Spec, name: str) -> Spec:
    """A pool of the fabric."""
    found: Spec = next(one for one in spec["training"][0]["pools"] if one["name"] == name)
    return found


def make_fabric(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], document: Spec | None = None
) -> Fabric:
    """The fabric, or the stack of `document`, not deployed yet."""
    ensure_engine()  # found by what this checkout has, not by the test's own
    (root / "checkout/stacks").mkdir(parents=True)
    shutil.copy(SOURCE / "Pulumi.yaml", root / "checkout")
    monkeypatch.setattr(project, "ROOT", root / "checkout")
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(root / "sandbox"))
    monkeypatch.setenv("GPUFLEET_SANDBOX_TIME_SCALE", "0")
    for name in ("GPUFLEET_SANDBOX_CLOUD", "PULUMI_BACKEND_URL", "PULUMI_STACK", "PULUMI_HOME", "CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    return Fabric(Gpufleet(root / "checkout", monkeypatch, capsys), document or small())

"""The commands against a stack that replays recorded runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpufleet.engine import project
from tests.cli.command_line import Gpufleet
from tests.cli.fake_stack import FakeStack, Script

SOURCE = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the real dev and prod, no credentials, and no terminal to speak of."""
    (tmp_path / "stacks").mkdir()
    for name in ("dev", "prod"):
        text = (SOURCE / "stacks" / f"Pulumi.{name}.yaml").read_text(encoding="utf-8")
        (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\n", encoding="utf-8")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    for name in ("ARM_CLIENT_ID", "ARM_USE_MSI", "PULUMI_ACCESS_TOKEN", "PULUMI_BACKEND_URL", "GPUFLEET_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    # Plans are kept for all tests of a worker: most ask for the same few.
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    for name in ("CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def script(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """What the stack will do."""
    script = Script()
    monkeypatch.setattr(FakeStack, "script", script)
    monkeypatch.setattr("gpufleet.engine.stack.EnvironmentStack", FakeStack)
    return script


@pytest.fixture
def gpufleet(
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Gpufleet:
    """The command line in `checkout`, on a person's machine rather than in CI."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    return Gpufleet(checkout, monkeypatch, capsys)

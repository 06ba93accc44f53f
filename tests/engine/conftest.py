"""A project of its own for the tests that run the real engine, with a program that needs no provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.engine.sandbox_home import SALT

PROJECT_FILE = "name: gpufleet\nruntime: python\nstackConfigDir: stacks\n"
STACK_FILE = f"""# a comment that must survive
encryptionsalt: {SALT}
config:
  gpufleet:environment:
    start: 2026-12-01 # a date that must survive
    secret: hush
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the environments dev and other, and a sandbox home inside it."""
    folder = tmp_path / "check out"  # with a space: people have them
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(PROJECT_FILE)
    for name in ("dev", "other"):
        (folder / "stacks" / f"Pulumi.{name}.yaml").write_text(STACK_FILE)
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(folder / ".sandbox"))
    for name in ("GPUFLEET_SANDBOX_CLOUD", "PULUMI_BACKEND_URL", "PULUMI_STACK", "PULUMI_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder

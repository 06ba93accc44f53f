"""A project of its own under the real engine, for the tests that need one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components.aliases import trim_version_aliases
from gpufleet.engine import EngineError
from gpufleet.engine.sandbox_home import SALT
from gpufleet.engine.stack import EnvironmentStack
from sandbox import inventory
from sandbox.store import Store


class Sandbox:
    """A project with one stack, its sandbox home and what is in its cloud."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def stack(self, program: Callable[[], None]) -> EnvironmentStack:
        def main() -> None:
            trim_version_aliases()
            program()

        return EnvironmentStack("t", root=self.root, sandbox=True, program=main)

    @property
    def store(self) -> Store:
        return Store(self.root / ".sandbox" / "cloud")

    def ids(self) -> list[str]:
        store = self.store
        try:
            return [item.id for item in inventory.items(store)]
        finally:
            store.close()


def make_sandbox(root: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    (root / "stacks").mkdir()
    (root / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\nstackConfigDir: stacks\n")
    (root / "stacks" / "Pulumi.t.yaml").write_text(f"encryptionsalt: {SALT}\n")
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(root / ".sandbox"))
    for name in ("GPUFLEET_SANDBOX_CLOUD", "PULUMI_BACKEND_URL", "PULUMI_STACK", "PULUMI_HOME", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    return Sandbox(root)


def errors(caught: pytest.ExceptionInfo[EngineError]) -> str:
    result = caught.value.result
    assert result is not None
    return "\n".join(diagnostic.message for diagnostic in result.diagnostics)

"""A checkout as a CI system has it: its own git repository, with `origin/main` to compare a change with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from gpufleet.engine.project import ROOT

# What `gpufleet` needs of the project; the tests and their data would only cost time.
_PARTS = ("components", "gpufleet", "policies", "sandbox", "stacks", "tools")
_FILES = ("Makefile", "Pulumi.yaml", "__main__.py", ".gitignore", ".pre-commit-hooks.yaml", "pyproject.toml")


@dataclass(kw_only=True)
class Checkout:
    """A scratch checkout.

    Attributes:
        environment: of the processes that run in it.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run something in it."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def git(self, *arguments: str) -> str:
        """Run git, which has to succeed."""
        done = self.run("git", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place that has `old`."""
        text = (self.folder / name).read_text()
        assert text.count(old) == 1, (name, old, text.count(old))
        (self.folder / name).write_text(text.replace(old, new))

    def commit(self) -> None:
        """Commit all that was edited."""
        self.git("commit", "-q", "--all", "-m", "x")


def checkout(folder: Path) -> Checkout:
    """Lay one out in an empty folder, with `dev` as its only environment."""
    for part in _PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)
    for stack in ("frontier", "prod", "staging"):
        (folder / "stacks" / f"Pulumi.{stack}.yaml").unlink()
    (folder / "stacks" / "waivers.yaml").unlink(missing_ok=True)
    (folder / ".venv").symlink_to(sys.prefix)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "ARM_", "PULUMI_"))}
    made = Checkout(
        folder=folder,
        environment={
            **kept,
            # This checkout's gpufleet instead of the one that .venv has installed.
            "PYTHONPATH": str(folder),
            # The set-up has its tests elsewhere (tests/tools/test_set_up.py); .venv is there already.
            "PYTHON": "true",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "x",
            "GIT_AUTHOR_EMAIL": "x@example.com",
            "GIT_COMMITTER_NAME": "x",
            "GIT_COMMITTER_EMAIL": "x@example.com",
            "GPUFLEET_SANDBOX_HOME": str(folder / ".sandbox"),
            "no_proxy": "*",
        },
    )
    made.git("init", "-q", "-b", "main")
    made.git("add", *_PARTS, *_FILES)
    made.commit()
    return made


def merged(made: Checkout) -> None:
    """Make what is checked out the `main` of the remote."""
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")

"""The `gpufleet` command inside this process, in a checkout of the test's own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gpufleet.cli import app
from gpufleet.cli.output import people


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever the JSON says
        """Stdout as JSON."""
        return json.loads(self.out)


class Gpufleet:
    """Runs the command line; `folder` is the checkout."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        # The console for people is made once a process, with whatever stderr was then.
        people.cache_clear()

    def __call__(self, *arguments: str | Path) -> Outcome:
        """Run `gpufleet` with these arguments. It never leaves without an exit code, nor with a stack trace."""
        self._monkeypatch.setattr(sys, "argv", ["gpufleet", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            app.main()
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(int(left.value.code or 0), captured.out, captured.err)

    def stack(self, name: str, text: str) -> Path:
        """Write a stack file."""
        path = self.folder / "stacks" / f"Pulumi.{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def git(self, *arguments: str) -> None:
        """Run git in the checkout."""
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(self.folder), *identity, *arguments], check=True, capture_output=True)

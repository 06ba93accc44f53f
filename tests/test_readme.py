"""Everything a user types in the README runs, in the order it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

# The set-up targets are what brought this test here: `make test` runs it, and .ci/run runs `make demo` as well.
BY_MAKE = {"make demo", "make test"}


def commands() -> list[str]:
    """The lines of all `sh` blocks, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def run(script: str, sandbox_home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GPUFLEET_SANDBOX_HOME": str(sandbox_home)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.engine
@pytest.mark.timeout(900)
def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    typed = [command for command in commands() if command not in BY_MAKE]
    assert set(commands()) - set(typed) == BY_MAKE
    assert typed[0] == ". .venv/bin/activate"

    # bash -v shows each line as it comes, so that a failure says which one it was.
    done = run("\n".join(["set -v", *typed]), tmp_path)

    assert done.returncode == 0, done.stderr[-4000:]
    left = run(".venv/bin/gpufleet sandbox list --format json", tmp_path)
    assert left.returncode == 0, left.stderr
    assert not json.loads(left.stdout)["resources"]


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_readme_names_every_command() -> None:
    done = run(".venv/bin/gpufleet --help", Path("unused"))
    offered = set(re.findall(r"^│ ([a-z]+)  ", done.stdout, flags=re.MULTILINE))
    assert offered
    assert {command for command in offered if f"`gpufleet {command}" not in README} == set()

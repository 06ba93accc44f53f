"""`.ci/run` on a repository of its own, with a make that only records."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gpufleet.engine.project import ROOT


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "bin").mkdir()
    make = tmp_path / "bin" / "make"
    make.write_text('#!/bin/sh\necho "make $*" >> ran\nif [ "$1" = "$FAIL" ]; then exit 3; fi\n')
    make.chmod(0o755)
    return tmp_path


def run(repository: Path, readme: str, fail: str = "") -> tuple[int, list[str]]:
    (repository / "README.md").write_text(readme)
    environment = {**os.environ, "PATH": f"{repository / 'bin'}:{os.environ['PATH']}", "FAIL": fail}
    done = subprocess.run([repository / ".ci" / "run"], env=environment, capture_output=True, check=False)
    ran = repository / "ran"
    return done.returncode, ran.read_text().splitlines() if ran.exists() else []


README = """make test in prose

```sh
make demo    # shows it
make test PYTEST_ARGS=-x    # tests it
```
make test later
"""


def test_it_runs_the_checks_and_the_very_command_of_the_readme(repository: Path):
    tests = ["make test PYTEST_ARGS=-x", "make browser", "make control-plane", "make promtool", "make soak"]
    assert run(repository, README) == (0, ["make check", "make demo", *tests])


def test_a_failing_check_fails_it_before_the_tests(repository: Path):
    assert run(repository, README, fail="check") == (3, ["make check"])


def test_failing_tests_fail_it(repository: Path):
    assert run(repository, README, fail="test") == (3, ["make check", "make demo", "make test PYTEST_ARGS=-x"])


def test_failing_long_tests_fail_it(repository: Path):
    assert run(repository, README, fail="soak")[0] == 3


def test_a_readme_without_the_command_fails_it(repository: Path):
    assert run(repository, "make test\n") == (1, [])


def test_our_own_readme_has_the_command():
    inside = [block for index, block in enumerate((ROOT / "README.md").read_text().split("```")) if index % 2]
    assert any(line.startswith("make test") for block in inside for line in block.splitlines())

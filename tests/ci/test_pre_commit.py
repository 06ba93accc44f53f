"""The pre-commit hook, by the real pre-commit, in a repository of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gpufleet.engine.project import ROOT
from tests.ci.checkout import Checkout, checkout

_STACK = "stacks/Pulumi.dev.yaml"


@pytest.fixture
def fleet(tmp_path: Path) -> Checkout:
    (tmp_path / "checkout").mkdir()
    made = checkout(tmp_path / "checkout")
    # What it would clone goes here, and what a person has cached stays out.
    made.environment["PRE_COMMIT_HOME"] = str(tmp_path / "cache")
    return made


def _hook(fleet: Checkout) -> subprocess.CompletedProcess[str]:
    pre_commit = str(Path(sys.prefix) / "bin" / "pre-commit")
    return fleet.run(pre_commit, "try-repo", str(fleet.folder), "gpufleet-check", "--verbose")


def test_it_checks_what_is_staged(fleet: Checkout):
    fleet.edit(_STACK, "monthlyUsd: 165000", "monthlyUsd: 170000")
    fleet.git("add", _STACK)
    done = _hook(fleet)
    assert done.returncode == 0, done.stdout
    assert "dev  PASS" in done.stdout

    fleet.edit(_STACK, "monthlyUsd: 170000", "monthlyUsd: 1000")
    fleet.git("add", _STACK)
    done = _hook(fleet)
    assert done.returncode == 1
    assert "- exit code: 5" in done.stdout
    assert "COST002" in done.stdout


def test_it_leaves_other_changes_alone(fleet: Checkout):
    fleet.edit("Makefile", "PYTHON ?= python3", "PYTHON ?= python3.12")
    fleet.git("add", "Makefile")
    done = _hook(fleet)
    assert (done.returncode, "(no files to check)" in done.stdout) == (0, True), done.stdout


def test_the_guide_shows_this_hook():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] in (ROOT / "docs" / "guides" / "pull-requests.md").read_text()

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A machine with a fitting engine, with its language host, behind one that is too old."""
    for folder, version in (("old", "3.1.0"), ("new", "3.255.0")):
        (tmp_path / folder).mkdir()
        pulumi = tmp_path / folder / "pulumi"
        pulumi.write_text(f"#!/bin/sh\necho v{version}\n")
        pulumi.chmod(0o755)
    (tmp_path / "new" / "pulumi-language-python").touch()
    return {
        **{name: value for name, value in os.environ.items() if name != "GPUFLEET_PULUMI"},
        "GPUFLEET_CACHE": str(tmp_path / "cache"),
        "PATH": f"{tmp_path / 'old'}:{tmp_path / 'new'}:/usr/bin:/bin",
    }


def gpufleet(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([GPUFLEET, *arguments], capture_output=True, text=True, check=False, env=environment)


def test_where_says_which_and_why(machine: dict[str, str], tmp_path: Path):
    done = gpufleet(machine, "engine", "where")
    assert done.returncode == 0
    assert done.stdout == (
        f"pulumi 3.255.0: {tmp_path / 'new' / 'pulumi'}\n"
        "  why: first on PATH with a fitting version (>=3.250.0, <4)\n"
        f"  language host: official; folder for PATH: {tmp_path / 'new'}\n"
    )
    assert done.stderr == f"not used: {tmp_path / 'old' / 'pulumi'}: version 3.1.0 does not fit (>=3.250.0, <4)\n"


def test_install_takes_what_is_there(machine: dict[str, str], tmp_path: Path):
    done = gpufleet(machine, "engine", "install", "--format", "json")
    assert json.loads(done.stdout) == {
        "schemaVersion": 1,
        "kind": "engine",
        "pulumi": str(tmp_path / "new" / "pulumi"),
        "version": "3.255.0",
        "fitting": ">=3.250.0, <4",
        "origin": "path",
        "reason": "first on PATH with a fitting version (>=3.250.0, <4)",
        "languageHost": "official",
        "folder": str(tmp_path / "new"),
    }


def test_where_without_an_engine_says_how_to_get_one(machine: dict[str, str]):
    done = gpufleet({**machine, "PATH": "/usr/bin:/bin"}, "engine", "where")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no Pulumi engine yet: run `gpufleet engine install` (or `make engine`)\n"


def test_an_override_that_is_wrong_is_said(machine: dict[str, str], tmp_path: Path):
    wrong = tmp_path / "old" / "pulumi"
    done = gpufleet({**machine, "GPUFLEET_PULUMI": str(wrong)}, "engine", "install")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: GPUFLEET_PULUMI={wrong}: version 3.1.0 does not fit (>=3.250.0, <4)\n"
        "Name a Pulumi CLI >=3.250.0, <4, or unset GPUFLEET_PULUMI.\n"
    )

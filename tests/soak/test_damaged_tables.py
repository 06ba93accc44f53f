"""Damaged reference tables: a command ends with a result or with an error that names the file, never with a trace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpufleet.engine.project import ROOT

pytestmark = pytest.mark.soak

_PARTS = 2


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(_PARTS))
def test_no_damage_to_a_table_is_called_a_bug(part: int, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    driver = Path(__file__).with_name("damage.py")
    done = subprocess.run(
        [sys.executable, str(driver), str(checkout), str(part), str(_PARTS)],
        cwd=checkout,
        env={
            **os.environ,
            "PYTHONPATH": str(checkout),
            "GPUFLEET_CACHE": str(tmp_path / "cache"),
            "GPUFLEET_PRICES": str(tmp_path / "prices"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *wrong, last = done.stdout.splitlines()
    assert wrong == []
    count, _ = last.split()
    assert int(count) > 200

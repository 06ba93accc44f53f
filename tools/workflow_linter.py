"""The actionlint that the tests of the workflows run: built of the pinned Go module, kept beside the engine."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from gpufleet.engine.cache import cache_root
from gpufleet.engine.files import put_in_place
from gpufleet.engine.source_build import find_go

_SOURCES = Path(__file__).parent / "actionlint"
_PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"


class NoLinterError(Exception):
    """actionlint can't be built; the text says why."""


def actionlint() -> Path:
    """Path of the binary, built if it isn't there yet.

    Raises:
        EngineUnavailableError: there is no Go, and none can be installed.
        NoLinterError: the build failed.
    """
    key = hashlib.sha256((_SOURCES / "go.sum").read_bytes()).hexdigest()[:12]
    folder = cache_root() / "actionlint" / key
    binary = folder / "actionlint"
    if not binary.exists():
        go = find_go(_SOURCES, cache=cache_root())
        with put_in_place(folder) as staging:
            command = [str(go), "build", "-mod=readonly", "-trimpath", "-o", str(staging / "actionlint"), _PACKAGE]
            done = subprocess.run(command, cwd=_SOURCES, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NoLinterError(f"actionlint can't be built: {' '.join(command)}\n{done.stderr.strip()}")
    return binary

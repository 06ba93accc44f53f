"""Prometheus' promtool for the tests of the alert rules: the one on PATH, else that of Debian's package, unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gpufleet.engine.cache import cache_root
from gpufleet.engine.files import put_in_place

NAME = "promtool"
PACKAGE = "prometheus"
EXIT_CONFIGURATION = 2
_SECONDS = 60


class NoPromtoolError(Exception):
    """There is no promtool, and none can be had; the text says what to do."""


def find() -> Path:
    """The promtool on PATH, or the unpacked one.

    Raises:
        NoPromtoolError: there is none that starts.
    """
    on_path = shutil.which(NAME)
    for found in (Path(on_path) if on_path else None, _unpacked()):
        if found is not None and _starts(found):
            return found
    raise NoPromtoolError(f"there is no {NAME} on PATH or in {_unpacked().parent}: make promtool gets it")


def ensure() -> Path:
    """The promtool that there is, else that of Debian's package: downloaded by apt-get and unpacked, not installed.

    That needs no root, starts no server, and changes nothing outside the cache.

    Raises:
        NoPromtoolError: it can't be had.
    """
    try:
        return find()
    except NoPromtoolError:
        pass
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoPromtoolError(
            f"the tests of the alert rules need {NAME}, and there is none on PATH.\n"
            f"  Debian's package {PACKAGE} has it; elsewhere it comes with Prometheus"
        )
    sys.stderr.write(f"[promtool] getting Debian's package {PACKAGE} (20 MB)\n")
    with tempfile.TemporaryDirectory() as folder, put_in_place(_unpacked().parent) as staging:
        package = _downloaded(Path(folder))
        _run(["dpkg-deb", "--extract", str(package), folder], Path(folder))
        shutil.copy(Path(folder, "usr", "bin", NAME), staging / NAME)
    return find()


def _downloaded(folder: Path) -> Path:
    """The package; with the rights for it, by a list of packages that is brought up to date first if need be."""
    command = ["apt-get", "--quiet", "download", PACKAGE]
    try:
        _run(command, folder)
    except NoPromtoolError:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "--quiet", "update"], folder)
        _run(command, folder)
    return next(folder.glob("*.deb"))


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise NoPromtoolError(f"{' '.join(command)} failed:\n{done.stdout.rstrip()}")


def _unpacked() -> Path:
    return cache_root() / NAME / "debian" / NAME


def _starts(program: Path) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Find or get it.

    Returns:
        0, or 2 with the reason on stderr.
    """
    try:
        ensure()
    except (NoPromtoolError, OSError) as error:
        sys.stderr.write(f"[promtool] error: {error}\n")
        return EXIT_CONFIGURATION
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

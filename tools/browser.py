"""A Chromium for the tests of the HTML report: the one on PATH, else Debian's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGE = "chromium"
EXIT_CONFIGURATION = 2
_SECONDS = 60


class NoBrowserError(Exception):
    """There is no Chromium, and none can be installed; the text says what to do."""


def find() -> Path | None:
    """The first Chromium on PATH that starts: Ubuntu has a stand-in of that name that doesn't without snap."""
    for name in NAMES:
        found = shutil.which(name)
        if found and _starts(found):
            return Path(found)
    return None


def ensure() -> Path:
    """The Chromium on PATH, installed if need be and possible.

    Raises:
        NoBrowserError: it is not possible.
    """
    found = find()
    if found is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrowserError(
            f"the tests of the HTML report need Chromium, and none of {', '.join(NAMES)} on PATH starts.\n"
            f"  On Debian, as root: apt-get install {PACKAGE}"
        )
    sys.stderr.write(f"[browser] installing Debian's package {PACKAGE} (about a minute)\n")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", PACKAGE]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NoBrowserError(f"apt-get {' '.join(command)} failed:\n{done.stdout.rstrip()}")
    found = find()
    if found is None:
        raise NoBrowserError(f"Debian's package {PACKAGE} is installed, and it doesn't start: chromium --version")
    return found


def _starts(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Find or install it.

    Returns:
        0, or 2 with the reason on stderr.
    """
    try:
        ensure()
    except NoBrowserError as error:
        sys.stderr.write(f"[browser] error: {error}\n")
        return EXIT_CONFIGURATION
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

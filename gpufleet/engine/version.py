"""Which Pulumi CLI fits, and which one a file is."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gpufleet.engine.cache import cache_root

# The oldest CLI the whole test suite has run with. It must at least send engine events over gRPC (v3.206, the SDK's
# Automation API asks for that) and exit with codes that say what failed (v3.226.1). Pulumi 4 may change any of it.
OLDEST = (3, 250, 0)
FIRST_UNFIT = (4, 0, 0)
FITTING = ">=3.250.0, <4"

_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)")
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What running `pulumi version` told.

    Attributes:
        version: for example "3.250.0"; "" when the file is no working Pulumi CLI.
        problem: why it does not fit, "" when it does.
    """

    version: str
    problem: str

    @property
    def fits(self) -> bool:
        """Whether gpufleet can work with it."""
        return not self.problem


def probe(pulumi: Path) -> Probe:
    """Say whether an executable is a fitting Pulumi CLI.

    Starting the CLI takes 0.2 s, more than many a command of ours, so the answer is kept beside the file's size and
    time of change and asked for again when those differ.
    """
    try:
        status = pulumi.stat()
    except OSError as error:
        return Probe(version="", problem=f"cannot be read: {error.strerror}")
    fingerprint = [status.st_size, status.st_mtime_ns]
    known = _Known()
    version = known.version(pulumi, fingerprint)
    if not version:
        version, problem = _ask(pulumi)
        if problem:
            return Probe(version="", problem=problem)
        known.remember(pulumi, fingerprint, version)
    parsed = _VERSION.match(version)
    assert parsed is not None
    number = tuple(int(part) for part in parsed.groups())
    if OLDEST <= number < FIRST_UNFIT:
        return Probe(version=version, problem="")
    return Probe(version=version, problem=f"version {version} does not fit ({FITTING})")


def _ask(pulumi: Path) -> tuple[str, str]:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [pulumi, "version"], capture_output=True, text=True, env=environment, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"`pulumi version` did not answer within {_TIMEOUT_SECONDS} s"
    except (OSError, UnicodeDecodeError) as error:
        return "", f"does not start: {error}"
    answer = done.stdout.strip()
    if done.returncode != 0:
        return "", f"`pulumi version` failed with code {done.returncode}"
    if not _VERSION.match(answer):
        return "", f"`pulumi version` answered {answer[:60]!r}"
    return answer.removeprefix("v"), ""


class _Known:
    """Versions already asked for; losing the file costs a fifth of a second, so no error here matters."""

    def __init__(self) -> None:
        self._file = cache_root() / "versions.json"
        self._entries: dict[str, list[object]] = {}
        with suppress(OSError, ValueError):
            entries = json.loads(self._file.read_text(encoding="utf-8"))
            self._entries = entries if isinstance(entries, dict) else {}

    def version(self, pulumi: Path, fingerprint: list[int]) -> str:
        match self._entries.get(str(pulumi)):
            case [size, changed, str(version)] if [size, changed] == fingerprint and _VERSION.match(version):
                return version
            case _:
                return ""

    def remember(self, pulumi: Path, fingerprint: list[int], version: str) -> None:
        self._entries[str(pulumi)] = [*fingerprint, version]
        staging = self._file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            staging.write_text(json.dumps(self._entries, indent=1), encoding="utf-8")
            staging.replace(self._file)

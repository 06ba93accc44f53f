"""Locks of Pulumi's own state backends: who holds one, whether that process still lives, and removing a dead one's.

The backend writes one file a lock, `.pulumi/locks/…/<uuid>.json`, and an engine that is killed leaves it for ever
(pulumi/pulumi: pkg/backend/diy/lock.go). The engine's refusal names every lock with its process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINE = re.compile(r"^\s*(?P<url>\S+): created by (?P<user>.*)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)$")
# The lock's time has whole seconds, and the kernel's clock ticks at its own pace.
_SLACK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock as the backend tells it.

    Attributes:
        url: where the lock file is.
        since: when the lock was taken.
    """

    url: str
    user: str
    host: str
    pid: int
    since: datetime

    @property
    def holder(self) -> str:
        """`process 4711 of ana on build-7, since 2026-11-21 12:01:48 UTC`."""
        since = f"{self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"process {self.pid} of {self.user} on {self.host}, since {since}"

    @property
    def here(self) -> bool:
        """Whether its process runs, or ran, on this machine."""
        return self.host == socket.gethostname()

    @property
    def dead(self) -> bool:
        """Whether its process is certainly gone: one of this machine, whose number is free or a younger one's."""
        return self.here and not _alive(self.pid, self.since.timestamp())

    @property
    def file(self) -> Path | None:
        """The lock file, None when the state is not in a folder of this machine."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None


def locks_in(refusal: str) -> tuple[Lock, ...]:
    """The locks that the engine's refusal names; none for a backend that words it otherwise (Pulumi Cloud)."""
    return tuple(
        Lock(
            url=match["url"],
            user=match["user"],
            host=match["host"],
            pid=int(match["pid"]),
            since=datetime.fromisoformat(match["since"]),
        )
        for line in refusal.splitlines()
        if (match := _LINE.match(line))
    )


def locks_beside(state: Path) -> tuple[Lock, ...]:
    """The locks of the stack whose state file this is; one that cannot be read is being written or taken away.

    The form of a lock file: pulumi/pulumi pkg/backend/diy/lock.go, lockContent.
    """
    folder = state.parents[2] / "locks" / "organization" / state.parent.name / state.stem
    found = []
    for file in sorted(folder.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(file.read_text(encoding="utf-8"))
            found.append(
                Lock(
                    url=file.as_uri(),
                    user=content["username"],
                    host=content["hostname"],
                    pid=content["pid"],
                    since=datetime.fromisoformat(content["timestamp"]),
                )
            )
    return tuple(found)


def remove_dead(locks: Sequence[Lock]) -> bool:
    """Remove the lock files of processes that are gone.

    Only files in a folder are removed, each by its own name: a lock that another run takes meanwhile has another name.
    (`pulumi cancel` would remove that one too.)

    Returns:
        whether nothing of these locks is left, so that another try may succeed.
    """
    if not locks or not all(lock.dead and lock.file for lock in locks):
        return False
    try:
        for lock in locks:
            if lock.file is not None:
                lock.file.unlink(missing_ok=True)
    except OSError:
        return False  # not ours to remove: the refusal itself says what to do
    return True


def _alive(pid: int, since: float) -> bool:
    """Whether the process with that number began before the lock was taken, and has not ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = next(
            line for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines() if line[:6] == "btime "
        )
    except FileNotFoundError:
        return False
    except ProcessLookupError:
        return False
    if fields[0] == "Z":
        return False
    begun = float(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return begun <= since + _SLACK_SECONDS

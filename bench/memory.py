"""The most memory that each process of a run ever had resident."""

from __future__ import annotations

import re
import threading
from pathlib import Path

_EVERY_SECONDS = 0.05
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_PARENT = re.compile(r"^PPid:\s+(\d+)$", re.MULTILINE)
_ROLES = (
    ("sandbox.providers.azure_native", "azure-native provider"),
    ("sandbox.providers.kubernetes", "kubernetes provider"),
    ("tools.language_host", "language host"),
    ("bin/gpufleet", "gpufleet"),
    ("pulumi", "engine"),
)


class PeakMemory:
    """Watches a process and everything below it until `stop`.

    Args:
        pid: the process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, float]:
        """Peak resident megabytes (10^6 bytes) by role; the larger one where two processes share a role."""
        self._over.set()
        self._thread.join()
        return {role: kilobytes * 1024 / 1e6 for role, kilobytes in self._peaks.items()}

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        status = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    status[int(entry.name)] = (entry / "status").read_text(), (entry / "cmdline").read_text()
                except OSError:
                    continue
        family = {self._pid}
        for pid in sorted(status):  # a child's number is higher than its parent's but for a wrap-around
            parent = _PARENT.search(status[pid][0])
            if parent and int(parent[1]) in family:
                family.add(pid)
        for pid in family & status.keys():
            text, command = status[pid]
            peak = _PEAK.search(text)
            role = next((role for mark, role in _ROLES if mark in command), "")
            if peak and role:
                self._peaks[role] = max(self._peaks.get(role, 0), int(peak[1]))

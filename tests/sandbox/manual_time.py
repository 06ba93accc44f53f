"""A clock that only moves when somebody waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sandbox.pace import Pace


class ManualTime:
    """Seconds since the epoch; ``waits`` are the waits so far, ``on_wait`` is called before each."""

    def __init__(self) -> None:
        self.seconds = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC).timestamp()
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.seconds, tz=dt.UTC)

    def pace(self, scale: float = 1.0) -> Pace:
        return Pace(scale, wait=self._wait)

    def _wait(self, seconds: float) -> bool:
        self.on_wait()
        self.waits.append(seconds)
        self.seconds += seconds
        return False

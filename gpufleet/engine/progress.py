"""Progress of long work, for people: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

_PLAIN_EVERY_SECONDS = 20.0


class Progress:
    """A context manager that shows what is being done and for how long.

    Args:
        title: what is being done.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._begun = time.monotonic()
        self._last_plain = self._begun
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(self._line(""))
            self._status.start()
        else:
            self._console.print(Text(self._title))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    @property
    def seconds(self) -> float:
        """Since the work began."""
        return time.monotonic() - self._begun

    def say(self, detail: str) -> None:
        """Show the newest detail, on a terminal at once, elsewhere at most every twenty seconds."""
        if self._status is not None:
            self._status.update(self._line(detail))
        elif time.monotonic() - self._last_plain >= _PLAIN_EVERY_SECONDS:
            self._last_plain = time.monotonic()
            self._console.print(self._line(detail))

    def _line(self, detail: str) -> Text:
        minutes, seconds = divmod(int(self.seconds), 60)
        return Text(f"{self._title}: {detail} ({minutes}:{seconds:02d})" if detail else self._title)

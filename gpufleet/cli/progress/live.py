"""Shows a run while it runs: a live tree on a terminal, one line an event anywhere else."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from rich.text import Text

from gpufleet.cli.progress.diagnostics import is_noise, problems
from gpufleet.cli.progress.model import Node, RunModel, Status
from gpufleet.cli.progress.screen import Screen
from gpufleet.cli.progress.tree import counts_line, tree_lines
from gpufleet.cli.progress.words import VERBS, duration, operation
from gpufleet.engine import Diagnostic, RunEvent, Severity, Step, StepStarted, Violation
from gpufleet.plural import plural

_FRAME_SECONDS = 0.2
_HEARTBEAT_SECONDS = 60.0
_PROBLEM_LINES = 4


def is_fancy(file: TextIO, environ: os._Environ[str] | dict[str, str] = os.environ) -> bool:
    """Whether a live tree is welcome there: a terminal that moves its cursor, and nobody who asked for plain text."""
    asked_plain = bool(environ.get("NO_COLOR")) or bool(environ.get("CI"))
    return file.isatty() and not asked_plain and environ.get("TERM", "dumb") not in {"", "dumb", "unknown"}


class Progress:
    """Context manager around one engine run; hand `take` to the engine as `on_event`.

    Args:
        model: takes the events.
        title: what is going on: `Updating dev (sandbox)`.
        tree: show every resource; without it (a preview) one line that counts.
        file: where people look, by default stderr.
        fancy: live tree or plain lines; by default what suits `file`.
    """

    def __init__(
        self,
        model: RunModel,
        title: str,
        *,
        tree: bool,
        file: TextIO | None = None,
        fancy: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._title = title
        self._tree = tree
        self._file = sys.stderr if file is None else file
        self._fancy = is_fancy(self._file) if fancy is None else fancy
        self._clock = clock
        self._begin = clock()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._screen = Screen(self._file, shutil.get_terminal_size)
        self._thread = threading.Thread(target=self._keep_showing, name="gpufleet-progress", daemon=True)
        self._last_line = 0.0

    def __enter__(self) -> Self:
        self._begin = self._clock()
        if not self._fancy:
            self._say(f"{self._title} ...")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._fancy:
            self._screen.clear()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._begin

    def take(self, event: RunEvent) -> None:
        """Take one event of the engine; any thread may call."""
        with self._lock:
            self._model.apply(event, self.elapsed)
            if not self._fancy:
                self._tell(event)

    def frame(self, columns: int, lines: int) -> list[Text]:
        """The live block for a terminal of that size."""
        with self._lock:
            width, now = max(20, columns - 1), self.elapsed
            tally = self._model.tally()
            if not self._tree:
                seen = plural(sum(1 for _ in self._model.resources()), "resource")
                head = _edges(Text(self._title, "bold"), f"{seen}  {duration(now)}", width)
                return [head, *self._troubles(width)]
            head = _edges(
                Text(self._title, "bold"), f"{tally.done + tally.failed:,}/{tally.total:,}  {duration(now)}", width
            )
            counts = counts_line(tally, width)
            troubles = self._troubles(width)
            room = max(1, lines - 1 - 2 - len(troubles))
            return [head, *tree_lines(self._model, now=now, width=width, height=room), counts, *troubles]

    def _troubles(self, width: int) -> list[Text]:
        found = problems(self._model)
        lines = [_edges(Text(self._model.notice, "yellow"), "", width)] if self._model.notice else []
        for problem in found[-_PROBLEM_LINES:]:
            style = "red" if problem.severity is Severity.ERROR else "yellow"
            said = " ".join(f"{problem.title}: {problem.text}".removeprefix(": ").split())
            line = Text(said if len(said) < width else f"{said[: width - 3]}...", style)
            lines.append(line)
        return lines

    def _keep_showing(self) -> None:
        while not self._over.wait(_FRAME_SECONDS):
            if self._fancy:
                size = self._screen.size
                self._screen.paint(self.frame(size.columns, size.lines))
            elif self.elapsed - self._last_line > _HEARTBEAT_SECONDS:
                self._say(self._heartbeat())

    def _heartbeat(self) -> str:
        with self._lock:
            busy = [node for node in self._model.resources() if node.status is Status.RUNNING and node.changes]
        names = ", ".join(f"{node.label} ({duration(self.elapsed - (node.started or 0.0))})" for node in busy[:3])
        more = f" and {len(busy) - 3} more" if len(busy) > 3 else ""
        return f"still at it: {names}{more}" if names else "still at it"

    def _tell(self, event: RunEvent) -> None:
        match event:
            case StepStarted() | Step():
                node = self._model.nodes.get(event.resource.urn)
                if self._tree and node is not None and node.changes:
                    self._say(_event_line(self._model, node, event))
            case Diagnostic(severity=Severity.INFO, urn=""):
                self._say(event.message)
            case Diagnostic() if event.severity in {Severity.WARNING, Severity.ERROR} and not is_noise(event):
                self._say(f"{event.severity}: {event.message.splitlines()[0]}")
            case Violation():
                self._say(f"policy {event.policy} ({event.level}): {event.message.splitlines()[0]}")
            case _:
                pass

    def _say(self, line: str) -> None:
        self._last_line = self.elapsed
        try:
            self._file.write(f"[{self._last_line:8.1f}s] {line}\n")
            self._file.flush()
        except (OSError, ValueError):  # nobody listens any more; the run's result is what counts
            return


def _event_line(model: RunModel, node: Node, event: StepStarted | Step) -> str:
    verb = VERBS[operation(event.op)]
    place = model.component_of(node)
    where = f"{node.label} in {place}" if place else node.label
    if isinstance(event, StepStarted):
        return f"{verb.mark:<2} {where}: {verb.running}"
    if event.failed:
        return f"x  {where}: {verb.base} failed after {duration(event.seconds)}"
    return f"{verb.mark:<2} {where}: {verb.done} in {duration(event.seconds)}"


def _edges(left: Text, right: str, width: int) -> Text:
    left.truncate(max(8, width - len(right) - 2), overflow="ellipsis")
    left.append(" " * max(2, width - left.cell_len - len(right)))
    left.append(right)
    left.truncate(width)
    return left

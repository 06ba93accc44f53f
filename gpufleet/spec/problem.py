"""What is wrong with a stack file, where, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gpufleet.errors import ConfigurationError
from gpufleet.plural import plural
from gpufleet.spec.base import Path

ITEMS = "[]"
"""As the last element of a path in `Problem.reads`: the list's length and order, but not what is inside its items."""

_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_:-]*$")
_LONGEST = 80


class Severity(StrEnum):
    """Whether a problem stops the run: an error alone does."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """Right or wrong by what the stack file doesn't say, such as whether the environment is there already."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake, or one thing to know."""

    path: Path
    """The value it is about, in the keys of the file; empty for the file as a whole."""
    message: str
    """The cause, without the key and without a full stop."""
    fix: str = ""
    """What to do, a sentence without its full stop."""
    source: str = ""
    """Who says so: the documentation behind the rule."""
    severity: Severity = Severity.ERROR
    reads: tuple[Path, ...] = ()
    """The values the verdict rests on, where that is more than all below `path`. The verdict isn't given when one of
    them was faulty."""
    lower_bound: bool = False
    """The verdict is that a sum is too large. It holds even where parts of the sum were faulty and left out."""
    file: str = ""
    line: int | None = None
    """From 1; None when the position isn't known."""
    column: int | None = None

    @property
    def key(self) -> str:
        """The path as people write it: `training[0].pools[0].nodes.max`."""
        return key_text(self.path)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part not in ("", None))
        parts = [place, self.severity.value, self.key]
        text = ": ".join(part for part in parts if part) + f": {self.message}."
        if self.fix:
            text += f" {self.fix}" if self.fix.endswith("?") else f" {self.fix}."
        if self.source:
            text += f" [{self.source}]"
        return text


class SpecError(ConfigurationError):
    """A stack file with mistakes: all of them, in the order of the file; `str()` is the text for people."""

    names_places = True

    def __init__(self, problems: Iterable[Problem]) -> None:
        ordered = sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        self.problems: tuple[Problem, ...] = tuple(ordered)
        counts = {one: sum(problem.severity is one for problem in ordered) for one in Severity}
        summary = ", ".join(plural(count, one) for one, count in counts.items() if count or one is Severity.ERROR)
        super().__init__("\n".join([*map(str, ordered), summary]))


def key_text(path: Path) -> str:
    """A path as people write it; keys of unusual form in quotes, overlong ones cut."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.match(part) and len(part) <= _LONGEST:
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part)}]"
    return text


def quoted(text: str) -> str:
    """A text of the user's in quotes, on one line and cut to a readable length."""
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return json.dumps(shown, ensure_ascii=not shown.isprintable())

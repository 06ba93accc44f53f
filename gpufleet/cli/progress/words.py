"""How an engine operation, a duration or a value reads."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gpufleet.engine import SECRET, UNKNOWN
from gpufleet.engine.results import STEPS_OF_A_WHOLE


@dataclass(frozen=True)
class Verb:
    """One operation in its three forms, its mark and its colour."""

    base: str
    running: str
    done: str
    mark: str
    style: str


VERBS = {
    "create": Verb("create", "creating", "created", "+", "green"),
    "update": Verb("update", "updating", "updated", "~", "yellow"),
    "replace": Verb("replace", "replacing", "replaced", "+-", "bold magenta"),
    "delete": Verb("delete", "deleting", "deleted", "-", "bold red"),
    "import": Verb("import", "importing", "imported", "=", "cyan"),
    "read": Verb("read", "reading", "read", ">", "cyan"),
    "refresh": Verb("refresh", "refreshing", "refreshed", "~", "cyan"),
    "discard": Verb("forget", "forgetting", "forgotten", "<", "cyan"),
    "same": Verb("leave", "checking", "unchanged", " ", "dim"),
}
"""The operations that people are told of, in the order in which counts are listed."""

CHANGES = frozenset({"create", "update", "replace", "delete", "import", "discard"})
"""Operations after which the cloud or the state differs."""

LOUD = ("replace", "delete")
"""Operations that destroy something: listed first, never folded away."""


def operation(op: str) -> str:
    """The engine's word for a step as one of `VERBS`: a replacement's three steps are one operation."""
    normal = STEPS_OF_A_WHOLE.get(op, op)
    return normal if normal in VERBS else "same"


def duration(seconds: float) -> str:
    """`0.4s`, `12.3s`, `1m 02s`, `1h 02m`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def value(thing: object, limit: int = 60) -> str:
    """A property value on one line, at most `limit` characters long."""
    if thing == UNKNOWN:
        return "known after apply"
    if thing == SECRET:
        return SECRET
    text = json.dumps(thing, ensure_ascii=False).replace(f'"{UNKNOWN}"', "known after apply")
    return text if len(text) <= limit else f"{text[: limit - 3]}..."

"""What is said of operations that an earlier run was cut off in, and of what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from gpufleet.engine.doubts import LEFT
from gpufleet.engine.recovery import Outcome
from gpufleet.plural import plural

if TYPE_CHECKING:
    from gpufleet.engine.doubts import Doubt
    from gpufleet.engine.recovery import Repaired

_ROWS = 20
_LEFT = "had been left behind by a run that was cut off: it is in the state again"
_SAID = {
    Outcome.ADOPTED: ("was made: it is in the state now", "green"),
    Outcome.DROPPED: ("was not made: it is not in the state", "dim"),
    Outcome.REFRESHED: ("is there: the state says what it is like", "green"),
    Outcome.GONE: ("is gone: it is not in the state any more", "yellow"),
    Outcome.FOREIGN: ("is there, but was not made by that run: left alone", "bold red"),
}


def doubt_lines(found: Sequence[Doubt], *, place: str) -> list[Text]:
    """Which operations nobody knows the end of."""
    title = f"An earlier run of {place} was cut off in {plural(len(found), 'operation')}:"
    lines = [Text(title, "bold"), *(Text(f"  {doubt.operation} {doubt.label}") for doubt in found[:_ROWS])]
    return [*lines, *_more(len(found))]


def repaired_lines(settled: Sequence[Repaired]) -> list[Text]:
    """What the cloud said of each, and what was done about it."""
    lines = [Text("The state is repaired:", "bold")]
    for item in settled[:_ROWS]:
        said, style = _SAID[item.outcome]
        if item.outcome is Outcome.ADOPTED and item.doubt.operation == LEFT:
            said = _LEFT
        lines.append(Text(f"  {item.doubt.label} {said}", style))
        if item.outcome is Outcome.FOREIGN:
            command = f"pulumi import '{item.doubt.type}' {item.doubt.name} '{item.doubt.id}'"
            lines.append(Text(f"    to take it over on purpose: {command}", style))
    return [*lines, *_more(len(settled))]


def adopted(settled: Sequence[Repaired]) -> set[str]:
    """URNs of what was found in the cloud and taken into the state."""
    return {item.doubt.urn for item in settled if item.outcome is Outcome.ADOPTED}


def _more(count: int) -> list[Text]:
    return [Text(f"  ... and {count - _ROWS:,} more", "dim")] if count > _ROWS else []

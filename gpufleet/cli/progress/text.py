"""Rich text to a string: with colour for a terminal, without for anything else."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text


def render(lines: Iterable[Text], *, colour: bool) -> str:
    """One line each, never wrapped: a terminal wraps by itself, and `grep` wants whole lines."""
    if not colour:
        return "".join(f"{line.plain.rstrip()}\n" for line in lines)
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="standard", highlight=False, soft_wrap=True, width=10_000
    )
    with console.capture() as capture:
        for line in lines:
            line.rstrip()
            console.print(line)
    return capture.get()

"""A block of lines at the bottom of a terminal, painted again and again in the same place."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.text import Text

from gpufleet.cli.progress.text import render

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
# A terminal that knows mode 2026 shows a frame at once; the others ignore it.
_FRAME_BEGIN, _FRAME_END = "\x1b[?2026h", "\x1b[?2026l"
_CLEAR_TO_LINE_END, _CLEAR_BELOW = "\x1b[K", "\x1b[J"


class Screen:
    """Paints frames; the terminal may change its size between two of them.

    Args:
        file: the terminal.
        size: its present size.
    """

    def __init__(self, file: TextIO, size: Callable[[], os.terminal_size]) -> None:
        self._file = file
        self._size = size
        self._lengths: list[int] = []
        self._width = 0

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines at this moment."""
        return self._size()

    def paint(self, lines: Sequence[Text]) -> None:
        """Show `lines` instead of the last frame; each must be narrower than the terminal."""
        width = self.size.columns
        out = [_FRAME_BEGIN, _HIDE_CURSOR, self._to_top(width)]
        if width != self._width:  # a narrower terminal has broken the old lines into more rows
            out.append(_CLEAR_BELOW)
        painted = render(lines, colour=True).rstrip("\n").split("\n")
        # Back to the first column, so that the ^C which a terminal echoes doesn't break the last line.
        out += ["\n".join(line + _CLEAR_TO_LINE_END for line in painted), _CLEAR_BELOW, "\r", _FRAME_END]
        self._lengths, self._width = [line.cell_len for line in lines], width
        self._write("".join(out))

    def clear(self) -> None:
        """Take the last frame away and give the cursor back."""
        self._write(self._to_top(self.size.columns) + _CLEAR_BELOW + _SHOW_CURSOR)
        self._lengths = []

    def _to_top(self, width: int) -> str:
        above = sum(max(1, -(-length // max(1, width))) for length in self._lengths[:-1])
        return "\r" + (f"\x1b[{above}A" if above else "")

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):  # the terminal is gone; the run goes on, its result is what counts
            self._lengths = []

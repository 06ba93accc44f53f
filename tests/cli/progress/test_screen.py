"""Frames land where the last one was, also after the terminal has changed its size."""

from __future__ import annotations

import io
import os

from rich.text import Text

from gpufleet.cli.progress.screen import Screen


class Terminal:
    """Just enough of one: text, newline, carriage return, cursor up, clearing, and lines that break at the edge."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[str] = [""]
        self.row = self.column = 0

    def feed(self, text: str) -> None:
        index = 0
        while index < len(text):
            if text[index] == "\x1b":
                end = next(i for i in range(index + 2, len(text)) if text[i].isalpha())
                self._control(text[index + 2 : end], text[end])
                index = end + 1
                continue
            self._put(text[index])
            index += 1

    def resize(self, width: int) -> None:
        """Break every row anew, the cursor staying with its text."""
        before = self.rows[: self.row]
        broken = [piece for row in before for piece in self._pieces(row, width)]
        self.rows = broken + [piece for row in self.rows[self.row :] for piece in self._pieces(row, width)]
        self.row, self.width = len(broken), width

    @staticmethod
    def _pieces(row: str, width: int) -> list[str]:
        return [row[i : i + width] for i in range(0, len(row), width)] or [""]

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row, self.column = self.row + 1, 0
            while len(self.rows) <= self.row:
                self.rows.append("")
        else:
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def _control(self, arguments: str, letter: str) -> None:
        if letter == "A":
            self.row = max(0, self.row - int(arguments or 1))
        elif letter == "K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif letter == "J":
            self.rows[self.row] = self.rows[self.row][: self.column]
            del self.rows[self.row + 1 :]

    @property
    def text(self) -> list[str]:
        return [row.rstrip() for row in self.rows]


class Wire(io.StringIO):
    """A file that is a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal

    def write(self, text: str) -> int:
        self.terminal.feed(text)
        return len(text)


def make(width: int) -> tuple[Terminal, Screen]:
    terminal = Terminal(width)
    return terminal, Screen(Wire(terminal), lambda: os.terminal_size((terminal.width, 24)))


def lines(*texts: str) -> list[Text]:
    return [Text(text, "bold") for text in texts]


def test_a_frame_replaces_the_last_one_longer_or_shorter() -> None:
    terminal, screen = make(40)
    screen.paint(lines("one", "two long enough", "three"))
    screen.paint(lines("eins", "zwei"))
    assert terminal.text == ["eins", "zwei"]
    screen.paint(lines("a", "b", "c", "d"))
    assert terminal.text == ["a", "b", "c", "d"]


def test_clearing_leaves_what_was_above() -> None:
    terminal, screen = make(40)
    terminal.feed("$ gpufleet up dev\n")
    screen.paint(lines("one", "two"))
    screen.clear()
    assert terminal.text == ["$ gpufleet up dev", ""]


def test_a_terminal_made_narrower_has_no_remains() -> None:
    terminal, screen = make(40)
    terminal.feed("$ up\n")
    screen.paint(lines("x" * 38, "y" * 38, "z" * 38))
    terminal.resize(20)
    screen.paint(lines("a" * 18, "b"))
    assert terminal.text == ["$ up", "a" * 18, "b"]


def test_an_echoed_interrupt_does_not_break_the_frame() -> None:
    terminal, screen = make(10)
    screen.paint(lines("123456789", "abcdefghi"))
    terminal.feed("^C")
    screen.paint(lines("one", "two"))
    assert terminal.text == ["one", "two"]


def test_a_terminal_that_has_gone_is_no_error() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    screen = Screen(Gone(), lambda: os.terminal_size((80, 24)))
    screen.paint(lines("one"))
    screen.clear()

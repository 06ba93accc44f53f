"""Where output goes: stderr speaks to people, stdout (or the file of `--output`) to programs.

Every command takes its text through `emit` or `emit_json` and everything else through `people()`, so that
`gpufleet … --format json | jq` never meets a progress bar.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.errors import ConfigurationError, GpufleetError

if TYPE_CHECKING:
    from rich.console import Console

JSON_SCHEMA_VERSION = 1
"""Version of every JSON document on stdout; a field that changes its meaning or goes away raises it."""

_ELSEWHERE = "--output writes the result to a file."


class Format(StrEnum):
    """Form of a command's result. A command with other forms declares an enum of its own."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="Form of the result on stdout.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the result to this file instead of stdout.", dir_okay=False),
]


@cache
def people() -> Console:
    """The console for people: stderr, colours only on a terminal and never with NO_COLOR set."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def is_terminal(file: object) -> bool:
    """Whether a person sits at it."""
    isatty = getattr(file, "isatty", None)
    return isatty is not None and bool(isatty())


def wants_colour(file: object) -> bool:
    """Whether to write ANSI colours to it: only to a terminal that has them, and never with NO_COLOR set."""
    return is_terminal(file) and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") not in {"", "dumb"}


def columns() -> int:
    """Width for text on stdout; a file or a pipe is as wide as a generous terminal."""
    return shutil.get_terminal_size((100, 24)).columns if is_terminal(sys.stdout) else 100


def emit(text: str, output: Path | None = None, *, private: bool = False) -> None:
    """Write a command's result, with one newline at its end, to stdout or whole to a file.

    Args:
        text: the result.
        output: file to write instead of stdout; it is replaced in one step, so a reader never sees half of it. A device
            or a pipe is written to.
        private: nobody but the owner may read the file.

    Raises:
        ConfigurationError: the file cannot be written, or stdout can't take the text.
        GpufleetError: stdout goes to a disk that is full.
    """
    text = text if text.endswith("\n") else text + "\n"
    if output is None:
        _to_stdout(text)
        return
    temporary = ""
    target = output.resolve()
    try:
        if target.exists() and not target.is_file():
            # A device or a pipe: with enough rights, the rename below would put a plain file in place of /dev/null.
            target.write_text(text, encoding="utf-8")
            return
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp makes files that only the owner reads; a report is for whoever the person's umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o600 if private else 0o666 & ~umask)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise ConfigurationError(f"cannot write {output}: {error.strerror or error}") from error


def _to_stdout(text: str) -> None:
    if sys.stdout is None:
        raise ConfigurationError("stdout is closed", hint=_ELSEWHERE)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except UnicodeEncodeError as error:
        missing = error.object[error.start]
        raise ConfigurationError(
            f"stdout takes {error.encoding} alone, and the result has the character {missing}",
            hint=f"Set PYTHONIOENCODING=utf-8. {_ELSEWHERE}",
        ) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise GpufleetError(f"cannot write to stdout: {error.strerror or error}") from error


def give_up_stdout() -> None:
    """Nobody can be told any more: what is still in the buffer must not fail again when Python leaves."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def emit_json(kind: str, body: Mapping[str, object], output: Path | None = None) -> None:
    """Write a versioned JSON document.

    Args:
        kind: what the document is, for example "stacks" or "up".
        body: its fields, camelCase.
        output: see `emit`.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    emit(json.dumps({"schemaVersion": JSON_SCHEMA_VERSION, "kind": kind, **body}, indent=2), output)

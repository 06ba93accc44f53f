"""The `gpufleet` command: which commands there are, and how an error reaches a person.

One file a command. A new one is a module of the command's name with `app = typer.Typer()` and its command on it, and
its name in `_COMMANDS`. A module is imported when its command is asked for, and all are for `gpufleet --help`; so they
import what is slow (pulumi, the SDKs, pydantic models) inside the command's function.
"""

from __future__ import annotations

import errno
import importlib
import os
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final

import typer
import typer.core
import typer.main

import gpufleet
from gpufleet.cli.output import give_up_stdout
from gpufleet.errors import ExitCode, GpufleetError, StoppedError

_COMMANDS: Final = (
    "engine",
    "env",
    "schema",
    "stacks",
    "size",
    "explain",
    "check",
    "waivers",
    "cost",
    "outlook",
    "offers",
    "prices",
    "up",
    "preview",
    "refresh",
    "destroy",
    "rollout",
    "job",
    "sandbox",
)
"""In the order of `--help`."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The machine's trouble, not a bug of ours, wherever it strikes."""


@cache
def _command(name: str) -> Any:  # noqa: ANN401 typer's own class of commands is private
    module = importlib.import_module(f"gpufleet.cli.{name}")
    return typer.main.get_group(module.app).commands[name]


class _ByName(Mapping[str, Any]):
    """The commands, each made when it is asked for."""

    def __getitem__(self, name: str) -> object:
        if name not in _COMMANDS:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Commands(typer.core.TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 whatever typer gives
        super().__init__(**{**attributes, "commands": _ByName()})

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 typer's signature
        """Their names; typer's own way makes all of them for that."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 typer's signature
        """A command, or None. A KeyError out of its module stays one, and is no unknown command."""
        return self.commands[cmd_name] if cmd_name in _COMMANDS else None

    def invoke(self, ctx: Any) -> object:  # noqa: ANN401 typer's own base class of Context is private
        """Run a command; Ctrl-C and the end of input become ours, for typer's own answers are 130 and 1."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, typer.Abort):
            raise StoppedError from None


app = typer.Typer(
    name="gpufleet",
    cls=_Commands,
    help="GPU fleets on Azure: one file per environment, priced and checked before anything is created.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gpufleet {gpufleet.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line and leave the process with an `ExitCode`.

    Errors of ours are one message on stderr; anything else is a bug and says so. GPUFLEET_DEBUG=1 adds the stack trace.
    """
    try:
        app()
    except GpufleetError as error:
        # A stack file's mistakes are one line each, `file:line:column: error: …`, for editors and CI to find.
        _complain(error.message, error.hint, prefix="" if error.names_places else "error: ")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        _complain("cancelled", "")
        raise SystemExit(ExitCode.CANCELLED) from None
    except BrokenPipeError:
        # The reader of stdout has gone (`| head`).
        give_up_stdout()
        raise SystemExit(ExitCode.ERROR) from None
    except Exception as error:  # noqa: BLE001 the last place before a person would see a stack trace
        if isinstance(error, OSError) and error.errno in _FULL:
            give_up_stdout()
            where = f": {error.filename}" if error.filename else ""
            _complain(f"{error.strerror}{where}", "Make room, then run it again.")
        else:
            _complain(
                f"internal error: {type(error).__name__}: {error}",
                "This is a bug in gpufleet. Run again with GPUFLEET_DEBUG=1 and report the stack trace.",
            )
        raise SystemExit(ExitCode.ERROR) from None


def _complain(message: str, hint: str, *, prefix: str = "error: ") -> None:
    from rich.text import Text

    from gpufleet.cli.output import people

    console = people()
    console.print(Text(prefix, style="bold red") + Text(message))
    if hint:
        console.print(Text(hint))
    if os.environ.get("GPUFLEET_DEBUG") == "1":
        console.print(Text(traceback.format_exc()))

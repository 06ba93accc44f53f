"""The `gpufleet` command: which commands there are, and how an error reaches a person.

One file a command. A new one is a module with `app = typer.Typer()` and its command on it, plus one import and one
`add_typer` line below. Modules import what is slow (pulumi, the SDKs, pydantic models) inside the command's function,
so that `gpufleet --help` and shell completion answer at once.
"""

from __future__ import annotations

import errno
import os
import traceback
from typing import Annotated, Any

import typer
import typer.core

import gpufleet
from gpufleet.cli import (
    check,
    cost,
    destroy,
    engine,
    env,
    explain,
    offers,
    preview,
    prices,
    refresh,
    sandbox,
    sandbox_events,
    sandbox_fail,
    sandbox_set,
    schema,
    size,
    stacks,
    up,
    waivers,
)
from gpufleet.cli.output import give_up_stdout
from gpufleet.errors import ExitCode, GpufleetError, StoppedError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The machine's trouble, not a bug of ours, wherever it strikes."""


class _Commands(typer.core.TyperGroup):
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
app.add_typer(engine.app)
app.add_typer(env.app)
app.add_typer(schema.app)
app.add_typer(stacks.app)
app.add_typer(size.app)
app.add_typer(explain.app)
app.add_typer(check.app)
app.add_typer(waivers.app)
app.add_typer(cost.app)
app.add_typer(offers.app)
app.add_typer(prices.app)
app.add_typer(up.app)
app.add_typer(preview.app)
app.add_typer(refresh.app)
app.add_typer(destroy.app)
app.add_typer(sandbox.app)
sandbox.group.add_typer(sandbox_fail.app)
sandbox.group.add_typer(sandbox_events.app)
sandbox.group.add_typer(sandbox_set.app)


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

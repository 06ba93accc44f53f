"""`gpufleet engine where|install`: which Pulumi engine is used, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json
from gpufleet.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from gpufleet.engine.locate import Engine

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="The Pulumi engine that gpufleet uses.", no_args_is_help=True)
app.add_typer(group, name="engine")


class EngineSource(StrEnum):
    """Where to get an engine from."""

    AUTO = "auto"
    OFFICIAL = "official"
    BUILD = "build"


@group.command()
def where(form: FormatOption = Format.TEXT, output: OutputOption = None) -> None:
    """Say which engine is used, and why; exit code 1 when there is none yet."""
    from gpufleet.cli.output import people
    from gpufleet.engine.locate import find_engine

    search = find_engine()
    for reason in search.passed_over:
        people().print(f"not used: {reason}", markup=False)
    if search.engine is None:
        people().print("no Pulumi engine yet: run `gpufleet engine install` (or `make engine`)")
        raise typer.Exit(ExitCode.ERROR)
    _show(search.engine, form, output)


@group.command()
def install(
    source: Annotated[
        EngineSource,
        typer.Option("--from", help="auto: what is there, else the official release, else a build from source."),
    ] = EngineSource.AUTO,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Make sure that there is an engine: use the one that is there, else download it, else build it."""
    from gpufleet.engine.install import Source, ensure_engine

    _show(ensure_engine(Source(source.value)), form, output)


def _show(engine: Engine, form: Format, output: Path | None) -> None:
    from gpufleet.engine.install import engine_folder
    from gpufleet.engine.version import FITTING

    host = "official" if engine.has_language_host else "gpufleet"
    if form is Format.JSON:
        body = {
            "pulumi": str(engine.pulumi),
            "version": engine.version,
            "fitting": FITTING,
            "origin": engine.origin.value,
            "reason": engine.reason,
            "languageHost": host,
            "folder": str(engine_folder(engine)),
        }
        emit_json("engine", body, output)
        return
    text = f"""pulumi {engine.version}: {engine.pulumi}
  why: {engine.reason}
  language host: {host}; folder for PATH: {engine_folder(engine)}"""
    emit(text, output)

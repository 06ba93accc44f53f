"""`gpufleet sandbox list|show|reset`: what the sandbox's cloud holds, and how to empty it."""

from __future__ import annotations

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, people
from gpufleet.errors import ConfigurationError, ExitCode, GpufleetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.inventory import Item
    from sandbox.store import Store

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="The sandbox: an Azure and a Kubernetes without a cloud.", no_args_is_help=True)
app.add_typer(group, name="sandbox")


class ShowFormat(StrEnum):
    """Form of one resource."""

    YAML = "yaml"
    JSON = "json"


@group.command("list")
def list_items(
    type_: Annotated[
        str, typer.Option("--type", help="Only this type: AgentPool, network:*, apps/v1:Deployment.")
    ] = "*",
    name: Annotated[str, typer.Option("--name", help="Only names that fit this shell pattern.")] = "*",
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """List what is in the sandbox's cloud."""
    from sandbox.inventory import items

    store = _store()
    found = [item for item in items(store) if item.matches(type_, name)] if store else []
    if form is Format.JSON:
        emit_json("sandbox", {"resources": [_summary(item) for item in found]}, output)
        return
    if found:
        emit(_table(found), output)
    people().print(f"{len(found)} in the sandbox's cloud ({_cloud()})", markup=False)


@group.command()
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="ARM id, object id or name, in any case.")],
    form: Annotated[ShowFormat, typer.Option("--format", help="Form of the result on stdout.")] = ShowFormat.YAML,
    output: OutputOption = None,
) -> None:
    """Show one resource or object with all its properties; secrets are masked."""
    from sandbox.inventory import find

    store = _store()
    found = find(store, wanted) if store else []
    if not found:
        raise ConfigurationError(
            f"nothing in the sandbox's cloud has the id or name '{wanted}'",
            hint="`gpufleet sandbox list` shows what is there.",
        )
    if len(found) > 1:
        listed = "\n".join(f"  {item.id}" for item in found)
        raise ConfigurationError(f"'{wanted}' is the name of {len(found)} things; give an id:\n{listed}")
    body = {**_summary(found[0]), "properties": found[0].properties}
    if form is ShowFormat.JSON:
        emit_json("sandboxResource", body, output)
    else:
        import yaml

        emit(yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120), output)


@group.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Empty the sandbox: its cloud and the state of its stacks. Real environments are not touched."""
    from sandbox.store import RESOURCES

    home = _home()
    store = _store()
    count = len(store.items(RESOURCES)) if store else 0
    question = f"Remove {count} resources and the state of every stack in {home}?"
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigurationError(
                "`gpufleet sandbox reset` asks first, and there is no terminal", hint="Add --yes to go ahead."
            )
        if not typer.confirm(question, err=True):
            raise typer.Exit(ExitCode.CANCELLED)
    _refuse_while_running(home)
    try:
        if store:
            store.wipe()
        if (home / "state").exists():
            shutil.rmtree(home / "state")
    except OSError as error:
        raise GpufleetError(f"cannot empty the sandbox in {home}: {error.strerror or error}") from error
    people().print(f"The sandbox is empty: {count} resources removed.", markup=False)


def _refuse_while_running(home: Path) -> None:
    """A run holds its stack's lock file in the backend; taking the state away under it would lose resources."""
    locks = sorted(path for path in (home / "state" / ".pulumi" / "locks").rglob("*.json"))
    if locks:
        stacks = ", ".join(sorted({path.parent.name for path in locks}))
        raise GpufleetError(
            f"a run holds the lock of {stacks}",
            hint=f"Wait for it; when none is running, remove {locks[0].parent} by hand.",
        )


def _home() -> Path:
    from gpufleet.engine.project import ROOT
    from gpufleet.engine.sandbox_home import sandbox_home

    return sandbox_home(ROOT)


def _cloud() -> Path:
    return _home() / "cloud"


def _store() -> Store | None:
    from sandbox.errors import SandboxError
    from sandbox.store import Store

    directory = _cloud()
    if not directory.is_dir():
        return None
    try:
        return Store(directory)
    except SandboxError as error:
        raise GpufleetError(str(error)) from error


def _summary(item: Item) -> dict[str, object]:
    return {
        "id": item.id,
        "type": item.type,
        "name": item.name,
        "place": item.place,
        "location": item.location or None,
        "created": item.created,
    }


def _table(found: Sequence[Item]) -> str:
    rows = [
        ("TYPE", "NAME", "LOCATION", "PLACE"),
        *((item.type, item.name, item.location or "-", item.place) for item in found),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )

"""`gpufleet sandbox list`, `show` and `reset`, and what the sandbox's other commands share."""

from __future__ import annotations

import contextlib
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, people
from gpufleet.cli.table import aligned
from gpufleet.errors import ConfigurationError, ExitCode, GpufleetError
from gpufleet.plural import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.inventory import Item
    from sandbox.store import Store

app = typer.Typer(no_args_is_help=True)


class ShowFormat(StrEnum):
    """Form of one resource."""

    YAML = "yaml"
    JSON = "json"


@app.command("list")
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

    store = open_cloud()
    found = [item for item in items(store) if item.matches(type_, name)] if store else []
    if form is Format.JSON:
        emit_json("sandbox", {"resources": [_summary(item) for item in found]}, output)
        return
    if found:
        emit(_table(found), output)
    people().print(f"{len(found)} in the sandbox's cloud ({_cloud()})", markup=False)


@app.command()
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="ARM id, object id or name, in any case.")],
    form: Annotated[ShowFormat, typer.Option("--format", help="Form of the result on stdout.")] = ShowFormat.YAML,
    output: OutputOption = None,
) -> None:
    """Show one resource or object with all its properties; secrets are masked."""
    found = one_item(wanted)
    body = {**_summary(found), "properties": found.properties}
    if form is ShowFormat.JSON:
        emit_json("sandboxResource", body, output)
    else:
        import yaml

        emit(yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120), output)


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Empty the sandbox: cloud, faults, settings and the state of its stacks. Real environments are not touched."""
    from sandbox.store import RESOURCES

    home = _home()
    store = open_cloud()
    count = plural(len(store.items(RESOURCES)) if store else 0, "resource")
    question = f"Remove {count} and the state of every stack in {home}?"
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
        # What roll-outs have noted is about a state that is gone then.
        for folder in ("state", "rollouts"):
            if (home / folder).exists():
                shutil.rmtree(home / folder)
    except OSError as error:
        raise GpufleetError(f"cannot empty the sandbox in {home}: {error.strerror or error}") from error
    people().print(f"The sandbox is empty: {count} removed.", markup=False)


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


def open_cloud() -> Store | None:
    """The sandbox's cloud, or None when nothing has made it yet.

    Raises:
        GpufleetError: it cannot be read.
    """
    from sandbox.errors import SandboxError
    from sandbox.store import Store

    directory = _cloud()
    if not directory.is_dir():
        return None
    try:
        return Store(directory)
    except SandboxError as error:
        raise GpufleetError(str(error)) from error


def make_cloud() -> Store:
    """The sandbox's cloud, made when there is none: it can be told what to do before its first run.

    Raises:
        GpufleetError: it cannot be made or read.
    """
    try:
        _cloud().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GpufleetError(f"cannot make the sandbox's cloud in {_cloud()}: {error.strerror or error}") from error
    store = open_cloud()
    if store is None:
        raise GpufleetError(f"the sandbox's cloud in {_cloud()} is no folder")
    return store


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What the sandbox refuses becomes the person's own mistake, in its words."""
    from sandbox.errors import SandboxError
    from sandbox.store import StoreError

    try:
        yield
    except StoreError as error:
        raise GpufleetError(str(error)) from error
    except SandboxError as error:
        raise ConfigurationError(str(error)) from error


def one_item(wanted: str) -> Item:
    """The one thing in the cloud with this id or name.

    Raises:
        ConfigurationError: there is none, or there are several.
    """
    from sandbox.inventory import find

    store = open_cloud()
    found = find(store, wanted) if store else []
    if not found:
        raise ConfigurationError(
            f"nothing in the sandbox's cloud has the id or name '{wanted}'",
            hint="`gpufleet sandbox list` shows what is there.",
        )
    if len(found) > 1:
        listed = "\n".join(f"  {item.id}" for item in found)
        raise ConfigurationError(f"'{wanted}' is the name of {len(found)} things; give an id:\n{listed}")
    return found[0]


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
    rows = [(item.type, item.name, item.location or "-", item.place) for item in found]
    return aligned([("TYPE", "NAME", "LOCATION", "PLACE"), *rows])

"""`gpufleet sandbox evict|outage|edit`: what happens to a cloud while nobody runs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, people
from gpufleet.cli.sandbox_items import make_cloud, one_item, open_cloud, refusals
from gpufleet.errors import ConfigurationError
from gpufleet.plural import plural

if TYPE_CHECKING:
    from sandbox.drift import Assignment
    from sandbox.store import Store

app = typer.Typer(no_args_is_help=True)
outages = typer.Typer(help="Regions that are down.", no_args_is_help=True)
app.add_typer(outages, name="outage")

RegionArgument = Annotated[str, typer.Argument(metavar="REGION", help="An Azure region: eastus.")]


@app.command()
def evict(
    pool: Annotated[str | None, typer.Argument(metavar="POOL", help="A Spot pool's name or ARM id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every Spot pool.")] = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Evict Spot pools: their nodes go, and the count falls to what the autoscaler keeps."""
    from sandbox import drift

    if (pool is None) != everything:
        raise ConfigurationError("name the pool to evict, or give --all")
    store = open_cloud()
    with refusals():
        done = drift.evict(store, _spot_keys(store, pool)) if store else []
    if form is Format.JSON:
        body = [{"id": item.id, "nodes": item.nodes, "left": item.left, "policy": item.policy} for item in done]
        emit_json("sandboxEvictions", {"evictions": body}, output)
        return
    if done:
        lines = [f"{one.id}: {plural(one.nodes, 'node')} evicted ({one.policy}), count {one.left}" for one in done]
        emit("\n".join(lines), output)
    people().print(f"{plural(len(done), 'pool')} evicted", markup=False)


def _spot_keys(store: Store, pool: str | None) -> list[str]:
    from sandbox import drift

    keys = [key for key, _ in drift.spot_pools(store)]
    if pool is None:
        return keys
    item = one_item(pool)
    if item.key not in keys:
        raise ConfigurationError(f"'{pool}' is no Spot pool: Azure evicts only those", hint="--all evicts every one.")
    return [item.key]


@outages.command("add")
def add_outage(region: RegionArgument) -> None:
    """Take a region down: every request for something in it fails, its clusters cannot be reached."""
    from sandbox import outages as down

    with refusals():
        name = down.add(make_cloud(), region)
    people().print(f"{name} is down until `gpufleet sandbox outage remove {name}`", markup=False)


@outages.command("remove")
def remove_outage(region: RegionArgument) -> None:
    """Bring a region back."""
    from sandbox import outages as down

    store = open_cloud()
    with refusals():
        if store is None or not down.remove(store, region):
            raise ConfigurationError(f"{region} is not down", hint="`gpufleet sandbox outage list` shows what is.")
    people().print(f"{region} is back", markup=False)


@outages.command("list")
def list_outages(form: FormatOption = Format.TEXT, output: OutputOption = None) -> None:
    """List the regions that are down."""
    from sandbox import outages as down

    store = open_cloud()
    with refusals():
        names = down.listed(store) if store else []
    if form is Format.JSON:
        emit_json("sandboxOutages", {"regions": names}, output)
        return
    if names:
        emit("\n".join(names), output)
    people().print(f"{plural(len(names), 'region')} {'is' if len(names) == 1 else 'are'} down", markup=False)


@app.command()
def edit(
    wanted: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="ARM id, object id or name, in any case.")],
    changes: Annotated[
        list[str],
        typer.Argument(metavar="PATH=VALUE...", help='tags.owner=me, zones[0]=2, "count=null" takes it away.'),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Write it down unchecked; read-only properties can be changed too.")
    ] = False,
) -> None:
    """Change a resource or object behind the tool's back: `refresh` and `preview --refresh` then show the drift."""
    from sandbox import drift

    item = one_item(wanted)
    with refusals():
        drift.edit(make_cloud(), item.key, [_assignment(text) for text in changes], force=force)
    people().print(f"{item.id} changed behind the tool's back", markup=False)


def _assignment(text: str) -> Assignment:
    import yaml

    from sandbox.drift import Assignment, parse_path

    path, equals, value = text.partition("=")
    if not equals:
        raise ConfigurationError(f"'{text}' is no change: write PATH=VALUE, for instance tags.owner=me")
    try:
        return Assignment(path=parse_path(path), value=yaml.safe_load(value))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"the value of '{path}' is neither YAML nor JSON: {error}") from None

"""`gpufleet sandbox set|unset|settings`: quotas, capacity, features and whatever else of the sandbox can be set."""

from __future__ import annotations

from typing import Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, people
from gpufleet.cli.sandbox_items import make_cloud, open_cloud, refusals
from gpufleet.cli.table import aligned
from gpufleet.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True)

KindArgument = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="quota, capacity, feature, principal, duration, replication, signal or signature.",
    ),
]
KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="eastus/standardNDSH100v5Family, eastus/Standard_ND96isr_H100_v5, ...")
]
ValueArgument = Annotated[
    str, typer.Argument(metavar="VALUE", help="vCPUs, nodes, a feature's state, a principal's type or seconds.")
]


@app.command("set")
def set_one(kind: KindArgument, key: KeyArgument, value: ValueArgument) -> None:
    """Set a quota, a capacity, a feature flag or another property of the sandbox's cloud."""
    from sandbox.settings import set_setting

    with refusals():
        done = set_setting(make_cloud(), kind, key, value)
    people().print(f"{done.kind} {done.key} is {done.value}", markup=False)


@app.command()
def unset(kind: KindArgument, key: KeyArgument) -> None:
    """Forget a setting: the sandbox's own tables hold again."""
    from sandbox.settings import unset_setting

    store = open_cloud()
    with refusals():
        gone = store is not None and unset_setting(store, kind, key)
    if not gone:
        raise ConfigurationError(f"{kind} '{key}' is not set", hint="`gpufleet sandbox settings` lists what is set.")
    people().print(f"{kind} {key} is no longer set", markup=False)


@app.command("settings")
def list_settings(form: FormatOption = Format.TEXT, output: OutputOption = None) -> None:
    """List what is set."""
    from sandbox.settings import settings

    store = open_cloud()
    found = list(settings(store)) if store else []
    if form is Format.JSON:
        body = [{"kind": setting.kind, "key": setting.key, "value": setting.value} for setting in found]
        emit_json("sandboxSettings", {"settings": body}, output)
        return
    if found:
        rows = [(setting.kind, setting.key, str(setting.value)) for setting in found]
        emit(aligned([("KIND", "KEY", "VALUE"), *rows]), output)
    people().print(f"{len(found)} set; the rest follows the sandbox's own tables", markup=False)

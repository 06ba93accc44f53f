"""`gpufleet sandbox fail add|list|remove|codes`: tell the sandbox what to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, people
from gpufleet.cli.sandbox_items import make_cloud, open_cloud, refusals
from gpufleet.cli.table import aligned
from gpufleet.errors import ConfigurationError
from gpufleet.plural import plural

if TYPE_CHECKING:
    from sandbox.faults import Fault, Phase

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="Faults on demand: what the sandbox is to fail, and how often.", no_args_is_help=True)
app.add_typer(group, name="fail")


@group.command()
def add(
    *,
    code: Annotated[str, typer.Option("--code", help="Azure's error code; `codes` lists the known ones.")],
    type_: Annotated[
        str, typer.Option("--type", help="Only this type: AgentPool, network:*, apps/v1:Deployment.")
    ] = "*",
    name: Annotated[str, typer.Option("--name", help="Only names that fit this shell pattern.")] = "*",
    operation: Annotated[
        list[str] | None, typer.Option("--operation", help="create, update, delete or read; may be repeated.")
    ] = None,
    times: Annotated[int, typer.Option("--times", help="How many requests it strikes.")] = 1,
    status: Annotated[int | None, typer.Option("--status", help="HTTP status, 400 to 599.")] = None,
    message: Annotated[str | None, typer.Option("--message", help="The error's text.")] = None,
    retry_after: Annotated[float | None, typer.Option("--retry-after", help="Seconds of the header.")] = None,
    phase: Annotated[
        str | None, typer.Option("--phase", help="refused, failed, late, timeout or lost: when it strikes.")
    ] = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Let the next requests that fit fail; it is counted down over all runs until it has struck that often."""
    from sandbox import faults

    with refusals():
        fault = faults.make(
            code=code,
            type_=type_,
            name=name,
            verbs=tuple(operation or ()),
            times=times,
            status=status,
            message=message,
            phase=_phase(phase),
            retry_after=retry_after,
        )
        written = faults.add(make_cloud(), fault)
    if form is Format.JSON:
        emit_json("sandboxFault", {"fault": _document(written)}, output)
        return
    emit(written.id, output)
    people().print(f"Fault {written.id}: {_sentence(written)}", markup=False)


@group.command("list")
def list_faults(form: FormatOption = Format.TEXT, output: OutputOption = None) -> None:
    """List the faults that still wait."""
    from sandbox import faults

    store = open_cloud()
    with refusals():
        found = faults.listed(store) if store else []
    if form is Format.JSON:
        emit_json("sandboxFaults", {"faults": [_document(fault) for fault in found]}, output)
        return
    if found:
        rows = [
            (item.id, item.code, item.type, item.name, ",".join(item.verbs), item.phase.value, str(item.times))
            for item in found
        ]
        emit(aligned([("ID", "CODE", "TYPE", "NAME", "OPERATIONS", "PHASE", "TIMES"), *rows]), output)
    people().print(f"{plural(len(found), 'fault')} {'waits' if len(found) == 1 else 'wait'}", markup=False)


@group.command()
def remove(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Numbers of faults.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Take faults away before they strike."""
    from sandbox import faults

    if bool(ids) == everything:
        raise ConfigurationError("name the faults to remove, or give --all")
    store = open_cloud()
    with refusals():
        gone = faults.remove(store, None if everything else ids) if store else []
    if missing := [number for number in ids or () if number not in gone]:
        raise ConfigurationError(
            f"there is no fault {', '.join(missing)}", hint="`gpufleet sandbox fail list` shows those that wait."
        )
    people().print(f"{plural(len(gone), 'fault')} removed", markup=False)


@group.command()
def codes(form: FormatOption = Format.TEXT, output: OutputOption = None) -> None:
    """List the error codes that the sandbox knows, with what each does."""
    from sandbox import faults

    known = faults.known()
    if form is Format.JSON:
        documents = [
            {
                "code": code,
                "status": row.integer("status") or None,
                "phase": row.text("phase"),
                "retriedByTheProvider": row.text("retried") == "yes",
                "operations": row.text("verbs").split(),
                "message": row.text("message"),
                "source": row.text("source"),
            }
            for code, row in known.items()
        ]
        emit_json("sandboxFaultCodes", {"codes": documents}, output)
        return
    rows = [
        (code, row.text("status") if row.integer("status") else "-", row.text("phase"), row.text("retried"))
        for code, row in known.items()
    ]
    emit(aligned([("CODE", "STATUS", "PHASE", "RETRIED"), *rows]), output)


def _phase(text: str | None) -> Phase | None:
    from sandbox.faults import Phase

    if text is None:
        return None
    try:
        return Phase(text)
    except ValueError:
        raise ConfigurationError(f"'{text}' is no phase: one of {', '.join(Phase)}") from None


def _document(fault: Fault) -> dict[str, object]:
    return {
        "id": fault.id,
        "type": fault.type,
        "name": fault.name,
        "operations": list(fault.verbs),
        "code": fault.code,
        "status": fault.status or None,
        "message": fault.message,
        "phase": fault.phase.value,
        "times": fault.times,
        "retryAfterSeconds": fault.retry_after,
    }


def _sentence(fault: Fault) -> str:
    how_often = "once" if fault.times == 1 else f"{fault.times} times"
    return (
        f"{fault.code} ({fault.phase.value}) strikes {'/'.join(fault.verbs)} of {fault.type} {fault.name} {how_often}"
    )

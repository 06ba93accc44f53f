"""`gpufleet waivers`: which findings may pass, for how long, and which of those waivers are of no use."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gpufleet.cli.output import OutputOption, emit, emit_json, people
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.table import aligned
from gpufleet.cli.waivers_source import TodayOption, day_of, waivers_of
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from gpufleet.check import Report
    from gpufleet.check.rule_findings import WaiverUse
    from policies.waivers import Waiver, Waivers

_LIST = "list"


class _ListsByDefault(TyperGroup):
    """`gpufleet waivers prod` is `gpufleet waivers list prod`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 typer's own context has no public name
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer()
group = typer.Typer(cls=_ListsByDefault, help="What may pass for a while: list stacks/waivers.yaml, or export it.")
app.add_typer(group, name="waivers")

_EnvironmentArgument = Annotated[
    str, typer.Argument(metavar="ENV", help="Environment.", autocompletion=complete_environment)
]


class WaiversFormat(StrEnum):
    """Form of the list."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class Status(StrEnum):
    """What a waiver does."""

    IN_FORCE = "in-force"
    EXPIRING = "expiring"
    """Likewise, and it ends within 14 days."""
    EXPIRED = "expired"
    EXCEEDED = "exceeded"
    """It names a finding that it does not cover: worse than its bound, or undecided."""
    UNUSED = "unused"
    """No finding has its rule and resource."""
    CLASH = "clash"
    """Another waiver names the same finding, so that neither holds."""
    UNKNOWN = "unknown"
    """The environment can't be judged: `gpufleet check` says why."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One waiver of the list; `use` is None where nobody can tell."""

    waiver: Waiver
    use: WaiverUse | None
    days_left: int

    @property
    def status(self) -> Status:
        """What it does."""
        if self.days_left < 0:
            return Status.EXPIRED
        if self.use is None:
            return Status.UNKNOWN
        if self.use.remark is not None:
            return Status(self.use.remark.value)
        return Status.IN_FORCE if self.use.covered == self.use.findings else Status.EXCEEDED


@group.command(_LIST)
def list_waivers(
    *,
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", help="Environment.", autocompletion=complete_environment)
    ] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Those that have run out.")] = False,
    expiring_in: Annotated[
        int | None, typer.Option("--expiring-in", metavar="DAYS", help="Those that will within so many days.", min=0)
    ] = None,
    unused: Annotated[bool, typer.Option("--unused", help="Those that match no finding.")] = False,
    today: TodayOption = None,
    form: Annotated[WaiversFormat, typer.Option("--format", help="Form of the list.")] = WaiversFormat.TEXT,
    output: OutputOption = None,
) -> None:
    """List the waivers of an environment, or of all, and what each does; every option adds those it means.

    Exit code 12 when the file is malformed. Expired ones fail `gpufleet check`, not this list.
    """
    day = day_of(today)
    waivers = waivers_of(day, ())
    environments = dict.fromkeys(waiver.environment for waiver in waivers.entries)
    if environment is not None:
        environments = dict.fromkeys([environment])
    rows = [row for name in environments for row in _rows(_checked(name, waivers, day), waivers)]
    if expired or unused or expiring_in is not None:
        rows = [
            row
            for row in rows
            if (expired and row.days_left < 0)
            or (unused and row.use is not None and row.use.findings == 0)
            or (expiring_in is not None and 0 <= row.days_left <= expiring_in)
        ]
    match form:
        case WaiversFormat.TEXT:
            emit(_table(rows) if rows else "no waivers", output)
        case WaiversFormat.JSON:
            emit_json("waivers", {"today": day.isoformat(), "waivers": [_json(row) for row in rows]}, output)
        case WaiversFormat.CSV:
            emit(_csv(rows), output)


@group.command()
def export(
    environment: _EnvironmentArgument,
    today: TodayOption = None,
    output: OutputOption = None,
) -> None:
    """Write an environment's rule configuration with its waivers as Pulumi's own policy exceptions.

    For `--policy-pack-config` of Pulumi 3.274.1 or newer (public preview); older ones refuse the file, and need none:
    the packs of this repository read the waivers themselves. Pulumi knows no bound and no end, so export anew for every
    run.
    """
    from gpufleet.check.exceptions import exported
    from gpufleet.report.words import one_line
    from policies import configuration

    day = day_of(today)
    report = _checked(environment, waivers_of(day, ()), day)
    if not report.judged:
        raise ConfigurationError(
            f"{environment} can't be judged, so nobody can say what its waivers cover",
            hint=f"`gpufleet check {environment}` says what is wrong.",
        )
    file = configuration.FOLDER / f"{environment}.json"
    found = exported(json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}, report.findings)
    emit(json.dumps(found.content, indent=2, ensure_ascii=False), output)
    for left_out in found.left_out:
        people().print(one_line(f"left out: {left_out}"), markup=False)


def _checked(environment: str, waivers: Waivers, today: dt.date) -> Report:
    from gpufleet.check import check
    from gpufleet.cli.stack_source import named
    from gpufleet.engine.cache import plans_folder

    source = named(environment, None)
    return check(
        source.path,
        environment=environment,
        label=source.label,
        strict=True,
        plans=plans_folder(),
        today=today,
        waivers=waivers,
    )


def _rows(report: Report, waivers: Waivers) -> list[Row]:
    uses = {use.waiver: use for use in report.waivers}
    return [
        Row(waiver=waiver, use=uses.get(waiver), days_left=waivers.days_left(waiver))
        for waiver in waivers.of(report.environment)
    ]


def _table(rows: Sequence[Row]) -> str:
    from gpufleet.report.words import one_line

    head = ("ENVIRONMENT", "RULE", "RESOURCE", "STATUS", "EXPIRES", "DAYS", "BOUND", "NOW", "OWNER", "TICKET")
    return aligned(
        [
            head,
            *(
                (
                    row.waiver.environment,
                    row.waiver.rule,
                    one_line(row.waiver.resource),
                    row.status.value,
                    row.waiver.expires.isoformat(),
                    str(row.days_left),
                    "" if row.waiver.bound is None else f"{row.waiver.bound:,}",
                    "" if row.use is None or row.use.amount is None else f"{row.use.amount:,}",
                    one_line(row.waiver.owner),
                    one_line(row.waiver.ticket),
                )
                for row in rows
            ),
        ],
        right=(5, 6, 7),
    )


def _json(row: Row) -> dict[str, object]:
    waiver, use = row.waiver, row.use
    return {
        "rule": waiver.rule,
        "environment": waiver.environment,
        "resource": waiver.resource,
        "status": row.status.value,
        "expires": waiver.expires.isoformat(),
        "daysLeft": row.days_left,
        "bound": None if waiver.bound is None else f"{waiver.bound:f}",
        "amount": None if use is None or use.amount is None else f"{use.amount:f}",
        "findings": None if use is None else use.findings,
        "covered": None if use is None else use.covered,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "ticket": waiver.ticket,
        "approvedBy": waiver.approved_by,
        "location": {"file": waiver.file, "line": waiver.line, "column": waiver.column},
    }


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    documents = [_json(row) for row in rows]
    keys = [
        "rule",
        "environment",
        "resource",
        "status",
        "expires",
        "daysLeft",
        "bound",
        "amount",
        "findings",
        "covered",
        "reason",
        "owner",
        "ticket",
        "approvedBy",
    ]
    writer.writerow([*keys, "line"])
    writer.writerows(
        [*(document[key] for key in keys), row.waiver.line] for document, row in zip(documents, rows, strict=True)
    )
    return text.getvalue()

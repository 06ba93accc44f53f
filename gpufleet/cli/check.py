"""`gpufleet check ENV…`: is it valid, what does it cost, is it large enough, what is wrong with it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.gate import StrictOption, is_strict
from gpufleet.cli.output import OutputOption, columns, emit, wants_colour
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.stack_source import Named, StackFileOption, is_file, named
from gpufleet.cli.waivers_source import TodayOption, day_of, waivers_of
from gpufleet.errors import ConfigurationError
from gpufleet.report.form import LEAST_MARKDOWN_BYTES, MARKDOWN_BYTES, ReportFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpufleet.check import Report

app = typer.Typer()


class FailOnOption(StrEnum):
    """`gpufleet.check.FailOn`, which takes its time to import."""

    ALL = "all"
    WARNING = "warning"


@app.command()
def check(
    environments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ENV", help="Environments, as in stacks/Pulumi.ENV.yaml.", autocompletion=complete_environment
        ),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All environments of the checkout.")] = False,
    stack_file: StackFileOption = None,
    strict: StrictOption = None,
    form: Annotated[
        ReportFormat,
        typer.Option("--format", help="Form of the report: for people, for programs, or as a CI system shows it."),
    ] = ReportFormat.TEXT,
    output: OutputOption = None,
    max_bytes: Annotated[
        int, typer.Option(help="The most that markdown may take; what doesn't fit is named.", min=LEAST_MARKDOWN_BYTES)
    ] = MARKDOWN_BYTES,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REF|FILE",
            help="Hold against the merge base of HEAD and a git version, or against another stack file: only findings "
            "that are new or worse fail.",
        ),
    ] = None,
    fail_on: Annotated[
        list[FailOnOption] | None,
        typer.Option(
            "--fail-on",
            help="all: with --base, findings that the base has fail, too. warning: warnings fail. Both may be given.",
        ),
    ] = None,
    today: TodayOption = None,
) -> None:
    """Check environments before anything is made: mistakes, cost against the budget, sizing, rules and their waivers.

    Needs no cloud, no login and no engine. Exit code 2 for mistakes in a stack file, 12 for a malformed or expired
    waiver, 5 when a rule is broken, the budget's gate among them, 10 when an answer is missing under --strict; of
    several environments the worst.
    """
    from gpufleet.check import FailOn
    from gpufleet.check import check as checked
    from gpufleet.check.report import worst
    from gpufleet.cli.base_source import base_of
    from gpufleet.engine.cache import plans_folder

    sources = _sources(environments or [], stack_file, every=every)
    if base is not None and len(sources) > 1 and is_file(base):
        raise ConfigurationError("--base FILE is one environment's", hint="Name one environment, or a git version.")
    day = day_of(today)
    waivers = waivers_of(day, [source.environment for source in sources])
    plans = plans_folder()
    reports = [
        checked(
            source.path,
            environment=source.environment,
            label=source.label,
            strict=is_strict(strict),
            plans=plans,
            today=day,
            waivers=waivers,
            base=None if base is None else base_of(base, source),
            fail_on=frozenset(FailOn(one.value) for one in fail_on or ()),
        )
        for source in sources
    ]
    _write(reports, form, output, several=every or len(environments or []) > 1, max_bytes=max_bytes)
    raise typer.Exit(worst([report.exit_code for report in reports]))


def _sources(environments: list[str], stack_file: Path | None, *, every: bool) -> list[Named]:
    from gpufleet.engine.project import ROOT, stack_files

    if every:
        if environments or stack_file is not None:
            raise ConfigurationError(
                "--all means every environment", hint="Leave --all out, or the names and --stack-file."
            )
        environments = list(stack_files(ROOT))
        if not environments:
            raise ConfigurationError(f"there is no stacks/Pulumi.<env>.yaml in {ROOT}", hint="Copy one that ships.")
    if stack_file is not None and len(environments) > 1:
        raise ConfigurationError("--stack-file is one environment's", hint="Name one environment, or none.")
    if stack_file is not None or not environments:
        return [named(environments[0] if environments else None, stack_file)]
    return [named(environment, None) for environment in dict.fromkeys(environments)]


def _write(
    reports: Sequence[Report], form: ReportFormat, output: Path | None, *, several: bool, max_bytes: int
) -> None:
    from gpufleet.report.render import render
    from gpufleet.report.text import headline

    text = form is ReportFormat.TEXT
    colour = text and output is None and wants_colour(sys.stdout)
    emit(
        render(form, reports, several=several, width=columns(), colour=colour, max_bytes=max_bytes),
        output,
    )
    if output is not None or not text:
        for report in reports:
            sys.stderr.write(f"{headline(report)}\n")

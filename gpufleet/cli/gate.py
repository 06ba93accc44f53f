"""The offline check in front of `up` and `preview`: what it fails never reaches the engine of an `up`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import people
from gpufleet.errors import ExitCode, GpufleetError

if TYPE_CHECKING:
    from pathlib import Path

    from gpufleet.check import Finding, Report

StrictOption = Annotated[
    bool | None,
    typer.Option(
        "--strict/--no-strict",
        help="Count what has no price and what nobody can tell as errors.",
        show_default="strict in CI",
    ),
]
NoCheckOption = Annotated[
    bool, typer.Option("--no-check", help="Leave out the check (as of gpufleet check) that comes before everything.")
]

# Set by GitHub Actions, GitLab CI and most others; by Azure Pipelines.
_CI_VARIABLES = ("CI", "TF_BUILD")


class CheckFailedError(GpufleetError):
    """The offline check fails; the exit code is its own."""

    def __init__(self, message: str, *, hint: str, exit_code: ExitCode) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the check says.

    Attributes:
        report: None when nobody asked for one.
        error: why it fails; None when it passes, or does not count.
    """

    report: Report | None = None
    error: CheckFailedError | None = None

    def require(self) -> None:
        """Go on only when it passes.

        Raises:
            CheckFailedError: it does not.
        """
        if self.error is not None:
            raise self.error


def is_strict(strict: bool | None) -> bool:
    """Whether open questions are errors: as asked for, else in CI."""
    if strict is not None:
        return strict
    return any(os.environ.get(name, "").casefold() not in {"", "0", "false"} for name in _CI_VARIABLES)


def ask_check(environment: str, file: Path, *, label: str, strict: bool | None, no_check: bool, priced: bool) -> Gate:
    """Check a stack file.

    Args:
        environment: its name.
        file: to read.
        label: what messages call it.
        strict: see `is_strict`.
        no_check: whatever it says does not count.
        priced: the report is wanted all the same, for its cost.

    Raises:
        WaiversError: the file of waivers is malformed.
        CatalogError: a table of prices or facts is damaged.
    """
    if no_check:
        people().print(f"{environment}: not checked (--no-check)", markup=False)
        if not priced:
            return Gate()
    from gpufleet.catalog import snapshots
    from gpufleet.check import check
    from gpufleet.cli.waivers_source import waivers_of
    from gpufleet.engine.cache import plans_folder

    today = snapshots.today()
    report = check(
        file,
        environment=environment,
        label=label,
        strict=is_strict(strict),
        plans=plans_folder(),
        today=today,
        waivers=waivers_of(today, [environment]),
    )
    code = report.exit_code
    if no_check or code is ExitCode.OK:
        return Gate(report=report)
    failing = [_line(finding) for finding in report.findings if report.fails(finding)]
    strictly = {None: "", True: " --strict", False: " --no-strict"}[strict]
    return Gate(
        report=report,
        error=CheckFailedError(
            "\n".join([f"the check of {environment} fails", *(f"  {line}" for line in failing)]),
            hint=f"For all of it: gpufleet check {environment}{strictly}",
            exit_code=code,
        ),
    )


def _line(finding: Finding) -> str:
    from gpufleet.report.words import one_line, sentence

    head = ": ".join(part for part in (str(finding.place or ""), finding.rule, finding.key or finding.label) if part)
    return one_line(" ".join(part for part in (f"{head}:", sentence(finding.message), sentence(finding.fix)) if part))

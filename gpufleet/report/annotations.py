"""Findings as workflow commands: GitHub Actions and Azure Pipelines show them at their lines in a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gpufleet.check.finding import Finding, Level
from gpufleet.check.report import Report
from gpufleet.report.groups import Groups
from gpufleet.report.places import in_checkout, place_of
from gpufleet.report.words import one_line, sentence, waived_by

MOST: Final = 10
"""Of one level: GitHub shows 10 errors, 10 warnings and 10 notices of a step, and drops the rest without a word (GitHub
docs, workflow commands; actions/toolkit problem-matchers)."""


@dataclass(frozen=True, kw_only=True)
class _Annotation:
    """One line.

    Attributes:
        file: from the root of the checkout; "" outside of it, or when it is about no file.
    """

    level: Level
    title: str
    message: str
    code: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None


def github(reports: Sequence[Report]) -> str:
    """One `::error …::` a finding, the worst first, with one in the place of those beyond ten of a level."""
    return "".join(f"{_github(one)}\n" for one in _annotations(reports))


def azure_devops(reports: Sequence[Report]) -> str:
    """One `##vso[task.logissue …]` a finding, likewise. Pipelines know no notes, so these are plain lines."""
    return "".join(f"{_azure_devops(one)}\n" for one in _annotations(reports))


def _annotations(reports: Sequence[Report]) -> Iterator[_Annotation]:
    found = [_annotation(finding, report) for report in reports for finding in _in_order(report)]
    for level in Level:
        some = [one for one in found if one.level is level]
        shown = some if len(some) <= MOST else some[: MOST - 1]
        yield from shown
        if left := len(some) - len(shown):
            yield _Annotation(
                level=level, title="gpufleet check", message=f"{left:,} more {level.value}s: the report has them all"
            )


def _in_order(report: Report) -> Iterator[Finding]:
    groups = Groups.of(report)
    yield from (*groups.active, *groups.existing, *groups.waived)


def _annotation(finding: Finding, report: Report) -> _Annotation:
    place = place_of(finding, report)
    parts = [sentence(finding.said), sentence(finding.fix)]
    if finding.waiver is not None:
        parts.append(waived_by(finding.waiver))
    since = f", {finding.since.value}" if finding.since else ""
    return _Annotation(
        level=_level(finding, report),
        title=one_line(f"{finding.rule} in {report.environment}{since}"),
        code=one_line(finding.rule),
        message=one_line(" ".join(part for part in parts if part)),
        file=one_line(in_checkout(place.file) or ""),
        line=place.line,
        column=place.column,
    )


def _level(finding: Finding, report: Report) -> Level:
    """An error is what fails the check; one that does not is a warning, and a waived finding a note."""
    if report.fails(finding):
        return Level.ERROR
    if finding.waiver is not None:
        return Level.NOTE
    return Level.WARNING if finding.level is Level.ERROR else finding.level


def _github(one: _Annotation) -> str:
    command = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}[one.level]
    where = {"file": one.file, "line": one.line, "col": one.column} if one.file else {}
    given = {**where, "title": one.title}
    properties = ",".join(f"{key}={_github_property(str(value))}" for key, value in given.items() if value is not None)
    return f"::{command} {properties}::{_github_text(one.message)}"


def _azure_devops(one: _Annotation) -> str:
    text = f"{one.title}: {one.message}"
    if one.level is Level.NOTE:
        return f"Note: {text}"
    where = {"sourcepath": one.file, "linenumber": one.line, "columnnumber": one.column} if one.file else {}
    given = {"type": one.level.value, **where, "code": one.code or None}
    properties = "".join(f"{key}={_azure_property(str(value))};" for key, value in given.items() if value is not None)
    return f"##vso[task.logissue {properties}]{_azure_text(text)}"


def _escaper(*pairs: tuple[str, str]) -> Callable[[str], str]:
    table = str.maketrans(dict(pairs))
    return lambda text: text.translate(table)


# actions/toolkit, packages/core/src/command.ts: escapeData and escapeProperty.
_github_text: Final = _escaper(("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_github_property: Final = _escaper(("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"))
# microsoft/azure-pipelines-agent: CommandStringConvertor.
_azure_text: Final = _escaper(("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"))
_azure_property: Final = _escaper(("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"), ("]", "%5D"), (";", "%3B"))

"""Workflow commands: one line a finding, the worst first, and no text of a stack file is a command."""

from __future__ import annotations

import re
from typing import Any

from gpufleet.check import Level, Place
from gpufleet.check.finding import Since
from gpufleet.report.annotations import MOST, azure_devops, github
from tests.report.samples import NASTY, WAIVER, finding, pull_request, report


def test_github() -> None:
    lines = github([pull_request()]).splitlines()
    assert lines[0] == (
        "::error file=stacks/Pulumi.prod.yaml,line=31,col=3,title=SCALE012 in prod%2C new::inference.regions: without"
        " eastus the regular nodes serve 43,200 of 60,000 tokens/s."
        " Raise the maximum of a regular pool, or add a region."
    )
    assert [line.split()[0] for line in lines] == ["::error", "::error", "::warning", "::warning", "::notice"]
    assert "title=SCALE002 in prod%2C existing::" in lines[3]
    assert "Waived up to 128 until 2026-12-24" in lines[4]


def test_azure_devops() -> None:
    lines = azure_devops([pull_request()]).splitlines()
    assert lines[0].startswith(
        "##vso[task.logissue type=error;sourcepath=stacks/Pulumi.prod.yaml;linenumber=31;columnnumber=3;code=SCALE012;]"
        "SCALE012 in prod, new: inference.regions: without eastus"
    )
    assert [line.split(";")[0] for line in lines[1:4]] == [
        f"##vso[task.logissue type={level}" for level in ("error", "warning", "warning")
    ]
    assert lines[4].startswith("Note: SCALE002 in prod, existing: ")


def test_ten_of_a_level_and_the_last_counts_the_rest() -> None:
    some = [report(*(finding(number) for number in range(8)), environment=name) for name in ("a", "b")]
    for render in (github, azure_devops):
        lines = render(some).splitlines()
        assert len(lines) == MOST
        assert "7 more errors: the report has them all" in lines[-1]
        assert "more errors" not in render([report(*(finding(number) for number in range(MOST)))])


def test_what_fails_nothing_is_no_error() -> None:
    some = report(
        finding(0, since=Since.EXISTING), finding(1, waiver=WAIVER), finding(2, Level.NOTE), finding(3, Level.WARNING)
    )
    assert [line.split()[0] for line in github([some]).splitlines()] == [
        "::warning",
        "::warning",
        "::notice",
        "::notice",
    ]


def test_a_file_outside_of_the_checkout_has_no_place_in_it() -> None:
    outside = report(finding(place=Place(file="/elsewhere/x.yaml", line=3)))
    assert github([outside]).startswith("::error title=SCALE002 in prod::")
    assert azure_devops([outside]).startswith("##vso[task.logissue type=error;code=SCALE002;]")


def test_no_text_is_a_command() -> None:
    bad: dict[str, Any] = {"key": NASTY, "message": NASTY, "fix": NASTY, "place": Place(file=NASTY, line=1)}
    some = report(finding(0, **bad), finding(1, Level.NOTE, **bad), environment=NASTY)
    hub = github([some])
    assert [re.split("[ :]", line[2:])[0] for line in hub.split("\n") if line] == ["error", "notice"]
    assert not re.search(r"^::\w+ [^:]*,(?!title=|line=|col=|file=)", hub, flags=re.MULTILINE)
    pipeline = azure_devops([some])
    lines = [line for line in re.split("[\r\n]", pipeline) if line]
    assert [line[:5] for line in lines] == ["##vso", "Note:"]
    assert lines[0].split("]")[0].count(";") == 4
    assert "##vso[" not in lines[1]

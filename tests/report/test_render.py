"""What holds for every form: any text, any number of findings, no finding at all."""

from __future__ import annotations

import pytest

from gpufleet.check import Level, Place
from gpufleet.check.report import Comparison
from gpufleet.report.form import ReportFormat
from gpufleet.report.render import render
from tests.report.samples import NASTY, WAIVER, finding, passing, pull_request, report

FORMS = pytest.mark.parametrize("form", ReportFormat)


@FORMS
def test_any_text_can_be_written(form: ReportFormat) -> None:
    nasty = finding(
        rule=NASTY, key=NASTY, message=NASTY, fix=NASTY, label=NASTY, resource=NASTY, reference=NASTY, trace=NASTY
    )
    placed = finding(place=Place(file=NASTY, line=3))
    some = report(
        nasty,
        placed,
        environment=NASTY,
        file=NASTY,
        passed=(NASTY,),
        inputs={NASTY: "0"},
        comparison=Comparison(base=NASTY, fixed=(nasty,), cost=None, problem=NASTY),
    )
    text = render(form, [some, some], several=True)
    text.encode("utf-8")
    if form not in {ReportFormat.JSON, ReportFormat.SARIF, ReportFormat.JUNIT}:
        assert not set(text) & {"\x07", "\u202e", "\r"}


@FORMS
def test_nothing_and_very_much_can_be_said(form: ReportFormat) -> None:
    assert render(form, [report()]) is not None
    many = [finding(number, level) for number in range(300) for level in Level]
    assert len(render(form, [report(*many), passing("prod")], several=True)) > 100


@FORMS
def test_the_same_reports_give_the_same_document(form: ReportFormat) -> None:
    reports = [pull_request(), passing("frontier"), report(finding(waiver=WAIVER))]
    assert render(form, reports, several=True) == render(form, reports, several=True)

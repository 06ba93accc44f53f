"""The report as JUnit XML: a suite for each environment, a case for each rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from gpufleet.check.finding import Finding, Verdict
from gpufleet.check.report import Report
from gpufleet.errors import ExitCode
from gpufleet.report.places import place_of
from gpufleet.report.rule_texts import Outcome, RuleOutcome, outcomes
from gpufleet.report.words import sentence, waived_by

# What XML 1.0 can't hold, even escaped (2.2 Characters).
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(reports: Sequence[Report]) -> str:
    """All reports.

    A rule that fails the check is a failure; one that raised, or that nobody can decide where that fails, an error:
    CI systems count both as failed and show them apart. A rule that is waived, disabled or has nothing to judge is
    skipped, with the reason; whatever fails nothing is output of a case that passes.
    """
    suites = [_suite(report) for report in reports]
    root = ET.Element("testsuites", {"name": "gpufleet check", **_sums(suites, "tests", "failures", "errors")})
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report) -> ET.Element:
    cases = [_case(outcome, report) for outcome in outcomes(report)]
    suite = ET.Element(
        "testsuite",
        {
            "name": _xml(f"gpufleet check {report.environment}"),
            "tests": str(len(cases)),
            "failures": _number(cases, "failure"),
            "errors": _number(cases, "error"),
            "skipped": _number(cases, "skipped"),
            "file": _xml(report.file),
        },
    )
    suite.extend(cases)
    return suite


def _case(outcome: RuleOutcome, report: Report) -> ET.Element:
    rule, findings = outcome.rule, outcome.findings
    case = ET.Element(
        "testcase", {"name": _xml(f"{rule.id}: {rule.title}"), "classname": _xml(f"gpufleet.{report.environment}")}
    )
    failing = [finding for finding in findings if report.fails(finding)]
    if failing:
        worst = max(failing, key=_is_error)
        head = {"message": _xml(worst.said), "type": worst.verdict.value}
        _child(case, "error" if _is_error(worst) else "failure", head, [_text(one, report) for one in failing])
    elif findings and all(finding.waiver is not None for finding in findings):
        _child(case, "skipped", {"message": "waived"}, [])
    elif outcome.outcome is Outcome.DISABLED:
        _child(case, "skipped", {"message": "turned off by the environment's configuration of the rules"}, [])
    elif outcome.outcome is Outcome.NOT_APPLICABLE:
        _child(case, "skipped", {"message": "there is nothing to judge"}, [])
    rest = [_text(finding, report) for finding in findings if finding not in failing]
    if rest:
        _child(case, "system-out", {}, rest)
    return case


def _child(parent: ET.Element, tag: str, attributes: dict[str, str], texts: Sequence[str]) -> None:
    child = ET.SubElement(parent, tag, attributes)
    if texts:
        child.text = _xml("\n\n".join(texts))


def _is_error(finding: Finding) -> bool:
    return finding.verdict is Verdict.UNDECIDED or finding.code is ExitCode.ERROR


def _text(finding: Finding, report: Report) -> str:
    lines = [
        f"{place_of(finding, report)}: {finding.level.value}: {sentence(finding.said)}",
        finding.fix and f"Fix: {sentence(finding.fix)}",
        finding.resource and f"Resource: {finding.resource}",
        finding.since and f"Against the base: {finding.since.value}",
        finding.waiver and waived_by(finding.waiver),
        finding.trace,
    ]
    return "\n".join(str(line) for line in lines if line)


def _number(cases: Sequence[ET.Element], tag: str) -> str:
    return str(sum(case.find(tag) is not None for case in cases))


def _sums(suites: Sequence[ET.Element], *names: str) -> dict[str, str]:
    return {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in names}


def _xml(text: str) -> str:
    return _NO_XML.sub("�", text)

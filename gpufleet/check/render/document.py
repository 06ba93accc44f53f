"""A report as a JSON document (docs/schemas/check.v1.json)."""

from __future__ import annotations

from gpufleet.check.finding import Finding
from gpufleet.check.report import Report
from gpufleet.cost.render.document import summary


def document(report: Report) -> dict[str, object]:
    """The body of the document `check`, without version and kind."""
    return {
        "environment": report.environment,
        "stackFile": report.file,
        "strict": report.strict,
        "verdict": report.verdict.value,
        "exitCode": int(report.exit_code),
        "findings": [_finding(finding) for finding in report.findings],
        "passed": list(report.passed),
        "cost": None if report.estimate is None else summary(report.estimate),
        "sizing": None if report.advice is None else [one.as_dict() for one in report.advice],
    }


def _finding(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "rule": finding.rule,
        "severity": finding.level.value,
        "verdict": finding.verdict.value,
        "resource": finding.resource or None,
        "key": finding.key or None,
        "message": finding.message,
        "fix": finding.fix,
        "reference": finding.reference,
        "location": None if place is None else {"file": place.file, "line": place.line, "column": place.column},
        "trace": finding.trace or None,
    }

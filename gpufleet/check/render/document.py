"""A report as a JSON document (docs/schemas/check.v1.json)."""

from __future__ import annotations

import re
from typing import Final

from gpufleet.check.finding import Finding
from gpufleet.check.report import Report
from gpufleet.cost.render.document import summary

_VERSION: Final = 1
_HUMP: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")


def document(report: Report) -> dict[str, object]:
    """The document `check`, the one whose keys are in snake case: pipelines read it beside other tools' reports."""
    body = {
        "schemaVersion": _VERSION,
        "kind": "check",
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
    return {_snake(key): _in_snake_case(value) for key, value in body.items()}


def _snake(key: str) -> str:
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", key)


def _in_snake_case(value: object) -> object:
    if isinstance(value, dict):
        return {_snake(key): _in_snake_case(item) for key, item in value.items()}
    return [_in_snake_case(item) for item in value] if isinstance(value, list | tuple) else value


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

"""A report as a JSON document (docs/schemas/check.v1.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from gpufleet.check.finding import Finding
from gpufleet.check.report import Comparison, Report
from gpufleet.check.rule_findings import WaiverUse
from gpufleet.cost.render.document import difference_document, summary
from gpufleet.outlook.document import document as outlook_document
from gpufleet.report.rule_texts import RuleOutcome, outcomes
from gpufleet.report.tools import tool_versions
from policies.waivers import Waiver

_VERSION: Final = 1
_HUMP: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")


def json_text(reports: Sequence[Report], *, several: bool) -> str:
    """The documents as text: a list when several were asked for, however many there are."""
    found = [document(report) for report in reports]
    return json.dumps(found if several else found[0], indent=2)


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
        "failOn": sorted(report.fail_on),
        "findings": [_finding(finding, report) for finding in report.findings],
        "passed": list(report.passed),
        "notApplicable": list(report.not_applicable),
        "disabled": list(report.disabled),
        "rules": [_rule(outcome) for outcome in outcomes(report)],
        "comparison": None if report.comparison is None else _comparison(report.comparison, report),
        "waivers": [_use(use) for use in report.waivers],
        "cost": None if report.estimate is None else summary(report.estimate),
        "outlook": None if report.outlook is None else outlook_document(report.outlook, report.token_costs),
        "sizing": None if report.advice is None else [one.as_dict() for one in report.advice],
    }
    # The names of files and packages are no keys of ours, and stay as they are.
    return {_snake(key): _in_snake_case(value) for key, value in body.items()} | {
        "inputs": [{"file": name, "sha256": digest or None} for name, digest in sorted(report.inputs.items())],
        "tool_versions": [{"name": name, "version": version} for name, version in tool_versions().items()],
    }


def _snake(key: str) -> str:
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", key)


def _in_snake_case(value: object) -> object:
    if isinstance(value, dict):
        return {_snake(key): _in_snake_case(item) for key, item in value.items()}
    return [_in_snake_case(item) for item in value] if isinstance(value, list | tuple) else value


def _rule(outcome: RuleOutcome) -> dict[str, object]:
    rule = outcome.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "pack": rule.pack or None,
        "severity": rule.severity.value if rule.severity else None,
        "verdict": outcome.outcome.value,
    }


def _comparison(comparison: Comparison, report: Report) -> dict[str, object]:
    return {
        "base": comparison.base,
        "problem": comparison.problem or None,
        "fixed": [_finding(finding, report) for finding in comparison.fixed],
        "cost": None if comparison.cost is None else difference_document(comparison.cost),
    }


def _finding(finding: Finding, report: Report) -> dict[str, object]:
    place = finding.place
    return {
        "rule": finding.rule,
        "severity": finding.level.value,
        "ruleSeverity": finding.severity.value if finding.severity else None,
        "verdict": finding.verdict.value,
        "fails": report.fails(finding),
        "resource": finding.resource or None,
        "label": finding.label or None,
        "key": finding.key or None,
        "message": finding.message,
        "fix": finding.fix,
        "reference": finding.reference,
        "measure": finding.measure or None,
        "amount": None if finding.amount is None else f"{finding.amount:f}",
        "since": finding.since.value if finding.since else None,
        "expired": finding.expired,
        "waiver": None if finding.waiver is None else _waiver(finding.waiver),
        "location": None if place is None else {"file": place.file, "line": place.line, "column": place.column},
        "trace": finding.trace or None,
    }


def _use(use: WaiverUse) -> dict[str, object]:
    return {
        "rule": use.waiver.rule,
        **_waiver(use.waiver),
        "findings": use.findings,
        "covered": use.covered,
        "amount": None if use.amount is None else f"{use.amount:f}",
        "resources": list(use.resources),
        "remark": use.remark.value if use.remark else None,
    }


def _waiver(waiver: Waiver) -> dict[str, object]:
    return {
        "resource": waiver.resource,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "ticket": waiver.ticket,
        "approvedBy": waiver.approved_by,
        "expires": waiver.expires.isoformat(),
        "bound": None if waiver.bound is None else f"{waiver.bound:f}",
        "location": {"file": waiver.file, "line": waiver.line, "column": waiver.column} if waiver.file else None,
    }

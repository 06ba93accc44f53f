"""The report as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), for code scanning."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from gpufleet.check.finding import Finding, Level, Place, Since
from gpufleet.check.report import Report
from gpufleet.errors import ExitCode
from gpufleet.report.places import in_checkout, place_of
from gpufleet.report.rule_texts import RuleText, outcomes, rule_text
from gpufleet.report.tools import tool_versions
from gpufleet.report.words import sentence, waived_by
from policies.waivers import Waiver

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_BASELINE: Final = {Since.NEW: "new", Since.WORSENED: "updated", Since.EXISTING: "unchanged"}


def sarif(reports: Sequence[Report]) -> str:
    """One run for each environment, told apart by its automation details: code scanning takes one run a category."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report) for report in reports]}
    return json.dumps(log, indent=2)


def _run(report: Report) -> dict[str, object]:
    fixed = () if report.comparison is None else report.comparison.fixed
    texts = {one.rule.id: one.rule for one in outcomes(report)}
    texts |= {finding.rule: rule_text(finding.rule) for finding in fixed}
    rules = [texts[id_] for id_ in sorted(texts)]
    index = {rule.id: number for number, rule in enumerate(rules)}
    found = [(finding, None) for finding in report.findings] + [(finding, "absent") for finding in fixed]
    fingerprints = _fingerprints([finding for finding, _ in found], report.environment)
    return {
        "tool": {
            "driver": {
                "name": "gpufleet",
                "semanticVersion": tool_versions()["gpufleet"],
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": f"gpufleet/{report.environment}/"},
        "invocations": [
            {"executionSuccessful": report.exit_code is not ExitCode.ERROR, "exitCode": int(report.exit_code)}
        ],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the checkout."}}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, report, index[finding.rule], fingerprint, baseline)
            for (finding, baseline), fingerprint in zip(found, fingerprints, strict=True)
        ],
    }


def _rule(rule: RuleText) -> dict[str, object]:
    why = rule.documentation or rule.title
    fix = f"\n\n**Fix.** {sentence(rule.fix)}" if rule.fix else ""
    source = f"\n\n**Source.** {sentence(rule.source)}" if rule.source else ""
    properties: dict[str, object] = {"problem.severity": _problem_severity(rule.level)}
    if rule.severity is not None:
        properties |= {"severity": rule.severity.value, "tags": [rule.pack]}
    return {
        "id": rule.id,
        "shortDescription": {"text": sentence(rule.title)},
        "fullDescription": {"text": sentence(why)},
        "help": {
            "text": f"{sentence(why)}{f' {sentence(rule.fix)}' if rule.fix else ''}",
            "markdown": f"**{sentence(rule.title)}**\n\n{sentence(why)}{fix}{source}",
        },
        "defaultConfiguration": {"level": rule.level.value},
        "properties": properties,
    }


def _problem_severity(level: Level) -> str:
    """GitHub's word for it: SARIF support for code scanning, reportingDescriptor.properties."""
    return "recommendation" if level is Level.NOTE else level.value


def _result(
    finding: Finding, report: Report, rule: int, fingerprint: str, baseline: str | None
) -> Mapping[str, object]:
    name = "/".join(part for part in (report.environment, finding.label or finding.key) if part)
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        # What nobody can tell is no result of kind `open`: that has the level `none` (SARIF 2.1.0, 3.27.10), and what
        # stops a strict check would be shown as nothing.
        "kind": "fail",
        "level": finding.level.value,
        "message": {"text": " ".join(part for part in (sentence(finding.said), sentence(finding.fix)) if part)},
        "locations": [
            {
                "physicalLocation": _location(place_of(finding, report)),
                "logicalLocations": [{"fullyQualifiedName": name}],
            }
        ],
        # GitHub tells alerts apart by this one name alone (SARIF support for code scanning, partialFingerprints).
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "gpufleetFinding/v1": fingerprint},
        # Of results that nothing suppresses too: without it nobody would know (SARIF 2.1.0, 3.27.23).
        "suppressions": [] if finding.waiver is None else [_suppression(finding.waiver)],
        "properties": {"verdict": finding.verdict.value, "environment": report.environment}
        | ({"resource": finding.resource} if finding.resource else {})
        | ({finding.measure: float(finding.amount)} if finding.measure and finding.amount is not None else {}),
    }
    if baseline is not None or finding.since is not None:
        result["baselineState"] = baseline or _BASELINE[finding.since or Since.NEW]
    return result


def _suppression(waiver: Waiver) -> dict[str, object]:
    found: dict[str, object] = {"kind": "external", "status": "accepted", "justification": waived_by(waiver)}
    if waiver.file:
        place = Place(file=waiver.file, line=waiver.line, column=waiver.column)
        found["location"] = {"physicalLocation": _location(place)}
    return found


def _location(place: Place) -> dict[str, object]:
    inside = in_checkout(place.file)
    artifact = (
        {
            "uri": pathlib.PurePath(place.file).as_uri()
            if pathlib.PurePath(place.file).is_absolute()
            else _quoted(place.file)
        }
        if inside is None
        else {"uri": _quoted(inside), "uriBaseId": _ROOT}
    )
    if place.line is None:
        return {"artifactLocation": artifact}
    column = {} if place.column is None else {"startColumn": place.column}
    return {"artifactLocation": artifact, "region": {"startLine": place.line, **column}}


def _quoted(path: str) -> str:
    return quote(path, errors="replace")


def _fingerprints(findings: Sequence[Finding], environment: str) -> Iterator[str]:
    """Of what names a finding, whatever its line and its numbers are; the second of one name gets another."""
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        identity = (environment, *finding.identity)
        seen[identity] += 1
        number = [str(seen[identity])] if seen[identity] > 1 else []
        yield hashlib.sha256("\0".join([*identity, *number]).encode(errors="surrogatepass")).hexdigest()[:32]

"""The report as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from gpufleet.check.finding import Finding, Since, Verdict
from gpufleet.check.report import Comparison, Report
from gpufleet.cost.render import words
from gpufleet.cost.token_cost import HEAD as TOKENS_HEAD
from gpufleet.cost.token_cost import rows as token_rows
from gpufleet.outlook import words as outlook_words
from gpufleet.plural import plural
from gpufleet.report.day_picture import day_chart
from gpufleet.report.groups import Groups
from gpufleet.report.pictures import RegionPicture, chart, largest, picture
from gpufleet.report.rule_texts import Outcome, outcomes, rule_text
from gpufleet.report.tools import tool_versions
from gpufleet.report.topology import topology
from gpufleet.report.words import change_of_cost, delta_of, largest_first, one_line, sentence, summary, waived_by

_FOLDER: Final = Path(__file__).parent


def page(reports: Sequence[Report]) -> str:
    """All reports on one page: it can be read, searched and printed without a script, and filtered with one."""
    names = ", ".join(report.environment for report in reports)
    verdict = "FAIL" if any(report.verdict is not Verdict.PASS for report in reports) else "PASS"
    style, script = _asset("page.css"), _asset("page.js")
    return _template().render(
        title=f"{verdict}: {names}, gpufleet check",
        style=style,
        style_hash=_csp_hash(style),
        script=script,
        script_hash=_csp_hash(script),
        environments=[_environment(number, report) for number, report in enumerate(reports)],
        tools=tool_versions(),
    )


@cache
def _template() -> jinja2.Template:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    ).get_template("page.html.j2")


def _shown(value: object) -> object:
    """Names and keys are the stack file's: what turns text around, or is no character to show, is taken out."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _asset(name: str) -> Markup:
    return Markup("\n" + (_FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704 a file of ours


def _csp_hash(text: str) -> str:
    """What lets this one inline style or script through the page's content policy (W3C CSP3, 6.7.3.3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _environment(number: int, report: Report) -> Mapping[str, object]:
    groups, estimate = Groups.of(report), report.estimate
    findings = [_finding(one) for one in (*groups.active, *groups.existing, *groups.waived)]
    rules = outcomes(report)
    passed = sum(rule.outcome is Outcome.PASS for rule in rules)
    return {
        "id": f"environment-{number + 1}",
        "name": report.environment,
        "file": report.file,
        "strict": report.strict,
        "verdict": report.verdict.value,
        "tally": summary(report),
        "budget": "" if estimate is None else words.verdict(estimate),
        "budget_verdict": "" if estimate is None else estimate.verdict.value,
        "gate": "" if estimate is None else estimate.gate.value,
        "gaps": "" if estimate is None else words.gaps(estimate),
        "prices": "" if estimate is None else words.prices_of(estimate),
        "comparison": None if report.comparison is None else _comparison(report.comparison),
        "fixed": [_finding(one) for one in groups.fixed],
        "findings": findings,
        "levels": _distinct(findings, "level"),
        "rules_found": _distinct(findings, "rule"),
        "packs": _distinct(findings, "pack"),
        "chart": None if estimate is None else chart(estimate),
        "outlook": _outlook(report),
        "regions": _regions(report),
        "rules": rules,
        "rules_summary": f"{passed:,} of {plural(len(rules), 'rule')} passed",
        "inputs": sorted(report.inputs.items()),
    }


def _outlook(report: Report) -> Mapping[str, object] | None:
    if (found := report.outlook) is None:
        return None
    tables = (
        ("The day by hour", outlook_words.DAY_HEAD, outlook_words.day_rows(found)),
        ("Every model with a part lost, tokens a second", outlook_words.MODEL_HEAD, outlook_words.model_rows(found)),
        ("Where users go, round trips in ms", outlook_words.MOVED_HEAD, outlook_words.moved_rows(found)),
        ("USD for a million output tokens", TOKENS_HEAD, token_rows(report.token_costs)),
    )
    return {
        "line": sentence(outlook_words.day_line(found)),
        "remarks": [sentence(one) for one in outlook_words.remarks(found)],
        "chart": day_chart(found),
        "head": outlook_words.LOSS_HEAD,
        "losses": list(outlook_words.loss_rows(found)),
        "tables": [
            {"title": title, "head": head, "rows": lines} for title, head, rows in tables if (lines := list(rows))
        ],
    }


def _regions(report: Report) -> list[RegionPicture]:
    regions = () if report.graph is None else topology(report.graph)
    most = largest(regions)
    return [picture(region, most) for region in regions]


def _comparison(comparison: Comparison) -> Mapping[str, object]:
    difference = comparison.cost
    gate = None if difference is None else difference.after.gate
    return {
        "base": comparison.base,
        "problem": sentence(comparison.problem),
        "cost": "One of the two has no cost, so none is compared."
        if difference is None
        else change_of_cost(difference),
        "changes": []
        if difference is None or gate is None
        else [
            {
                "component": change.component,
                "before": words.usd(change.before.monthly.at(gate)),
                "after": words.usd(change.after.monthly.at(gate)),
                "delta": delta_of(change, difference),
                "reasons": change.reasons,
            }
            for change in largest_first(difference)
        ],
    }


def _finding(finding: Finding) -> Mapping[str, object]:
    marks = [
        finding.since.value if finding.since else "",
        "undecided" if finding.verdict is Verdict.UNDECIDED else "",
        "waived" if finding.waiver else "",
        "waiver expired" if finding.expired else "",
    ]
    return {
        "level": finding.level.value,
        "rule": finding.rule,
        "pack": rule_text(finding.rule).pack,
        "severity": finding.severity.value if finding.severity else "",
        "is_new": finding.since in {Since.NEW, Since.WORSENED},
        "marks": [mark for mark in marks if mark],
        "message": sentence(finding.message),
        "fix": sentence(finding.fix),
        "reference": finding.reference,
        "waiver": waived_by(finding.waiver) if finding.waiver else "",
        "place": str(finding.place or ""),
        "key": finding.key or finding.label,
    }


def _distinct(findings: Sequence[Mapping[str, object]], key: str) -> list[str]:
    return sorted({str(finding[key]) for finding in findings} - {""})

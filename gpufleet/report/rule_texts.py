"""What a report says of a rule, and what became of every rule of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gpufleet.check.finding import Finding, Level, Verdict
from gpufleet.check.report import Report
from policies import catalogue
from policies.rule import AnyRule, Enforcement, Severity

# Findings of what stands in the way of the rules carry these instead of a rule's id.
_STEPS: Final = {
    "spec": "The stack file says what an environment can be",
    "plan": "The program makes the environment's resources",
    "cost": "The environment can be priced",
    "sizing": "The environment can be sized",
    "rules": "The rules can be asked",
    "waivers": "Every waiver is in force and needed",
}


class Outcome(StrEnum):
    """What became of a rule."""

    FAIL = "fail"
    UNDECIDED = "undecided"
    PASS = "pass"  # noqa: S105 no password
    NOT_APPLICABLE = "not-applicable"
    DISABLED = "disabled"


@dataclass(frozen=True, kw_only=True)
class RuleText:
    """A rule, in words.

    Attributes:
        documentation: why it is so; "" for a step that is no rule.
        severity: None for a step.
        pack: the policy pack it is in; "" for a step.
        level: of its findings, unless the environment's configuration says otherwise.
        fix: a sentence without its full stop, "" for a step.
        source: the documentation behind it, "" without.
    """

    id: str
    title: str
    documentation: str = ""
    severity: Severity | None = None
    pack: str = ""
    level: Level = Level.ERROR
    fix: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class RuleOutcome:
    """One rule in one environment.

    Attributes:
        findings: all of it, waived ones too.
    """

    rule: RuleText
    outcome: Outcome
    findings: tuple[Finding, ...] = ()


def rule_text(id_: str) -> RuleText:
    """The words of a rule or step; of one that nobody knows, its id."""
    rule = catalogue.rule(id_)
    return RuleText(id=id_, title=_STEPS.get(id_, id_)) if rule is None else _of_rule(rule)


def outcomes(report: Report) -> tuple[RuleOutcome, ...]:
    """Every rule of a check, by id."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.rule, []).append(finding)
    ids = {*found, *report.passed, *report.not_applicable, *report.disabled}
    return tuple(
        RuleOutcome(
            rule=rule_text(id_), outcome=_outcome(id_, found.get(id_, []), report), findings=tuple(found.get(id_, ()))
        )
        for id_ in sorted(ids)
    )


def _outcome(id_: str, findings: list[Finding], report: Report) -> Outcome:
    objections = [finding for finding in findings if finding.level is not Level.NOTE]
    if any(finding.verdict is Verdict.FAIL for finding in objections):
        return Outcome.FAIL
    if objections:
        return Outcome.UNDECIDED
    if id_ in report.disabled:
        return Outcome.DISABLED
    return Outcome.PASS if findings or id_ in report.passed else Outcome.NOT_APPLICABLE


def _of_rule(rule: AnyRule) -> RuleText:
    _, _, rest = rule.documentation().partition("\n")
    return RuleText(
        id=rule.id,
        title=rule.title(),
        documentation=rest.strip(),
        severity=rule.severity,
        pack=rule.pack.value,
        level=Level.WARNING if rule.enforcement is Enforcement.ADVISORY else Level.ERROR,
        fix=rule.fix,
        source=rule.source,
    )

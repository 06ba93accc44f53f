"""What the rules of `policies/rules` say of an environment, and what its waivers let pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gpufleet.check.finding import Finding, Level, Place, Verdict
from gpufleet.check.subject import Subject
from gpufleet.errors import ExitCode
from gpufleet.graph import Graph
from gpufleet.spec.problem import key_text
from policies import evaluate as policies
from policies import waivers as waiving
from policies.catalogue import rules
from policies.rule import AnyRule, Enforcement
from policies.view import View
from policies.waivers import Applied, Kind, Remark, Waiver, Waivers

_LEVELS: Final = {Kind.CLASH: Level.ERROR, Kind.UNUSED: Level.WARNING, Kind.EXPIRING: Level.NOTE}
"""Of what is said about a waiver; an expired one weighs what it covered."""


@dataclass(frozen=True, kw_only=True)
class WaiverUse:
    """What a waiver does.

    Attributes:
        findings: how many have its rule and resource.
        covered: how many of them it lets pass.
        amount: the largest of them, in the rule's measure; None without a measure or a finding.
        resources: URNs of what it covers.
        remark: None when it holds, is of use and doesn't end soon.
    """

    waiver: Waiver
    findings: int
    covered: int
    amount: Decimal | None
    resources: tuple[str, ...]
    remark: Kind | None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the rules come to.

    Attributes:
        results: of every rule that is not disabled.
        findings: of the rules, and of the waivers.
        disabled: ids, sorted.
        waivers: of the environment, in the order of the file.
    """

    results: tuple[policies.Result, ...] = ()
    findings: tuple[Finding, ...] = ()
    disabled: tuple[str, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()

    def ids(self, verdict: policies.Verdict) -> tuple[str, ...]:
        """Of the rules with a verdict, sorted."""
        return tuple(sorted(result.rule.id for result in self.results if result.verdict is verdict))


def judged(
    subject: Subject, configuration: Mapping[str, policies.Configured], waivers: Waivers, base: Graph | None = None
) -> Judged:
    """Every rule's result; nothing without a graph. `base` is the graph that the change is held against."""
    if subject.graph is None:
        return Judged()
    view = View(
        graph=subject.graph,
        base=base,
        given=subject.environment,
        given_estimate=subject.estimate,
        given_advice=subject.advice,
    )
    results = policies.evaluate(view, rules(), configuration)
    pairs = [
        (result, applied) for result in results for applied in waiving.apply(result.judgements, waivers, subject.name)
    ]
    applied = [one for _, one in pairs]
    remarks = waiving.remarks(applied, waivers, subject.name, {rule.id for rule in rules()})
    levels = {id(one): _level(result, one.judgement, subject) for result, one in pairs}
    return Judged(
        results=results,
        findings=(
            *(_finding(result, one, subject, waivers) for result, one in pairs),
            *(_of_waiver(remark, [levels[id(one)] for one in remark.applied]) for remark in remarks),
        ),
        disabled=tuple(
            sorted(id_ for id_, entry in configuration.items() if entry.enforcement is Enforcement.DISABLED)
        ),
        waivers=tuple(_uses(subject.name, waivers, applied, remarks)),
    )


def _finding(result: policies.Result, applied: Applied, subject: Subject, waivers: Waivers) -> Finding:
    judgement = applied.judgement
    undecided = judgement.verdict is policies.Verdict.UNDECIDED
    return Finding(
        rule=judgement.rule,
        level=_level(result, judgement, subject),
        verdict=Verdict.UNDECIDED if undecided else Verdict.FAIL,
        resource=judgement.resource,
        label=judgement.label,
        key=key_text(judgement.path),
        message=judgement.message,
        fix=judgement.fix,
        reference=result.rule.source,
        place=subject.place(judgement.path),
        code=_code(result.rule, judgement, undecided=undecided),
        trace=judgement.trace,
        severity=result.rule.severity,
        measure=result.rule.measure,
        amount=judgement.amount,
        waiver=applied.waiver,
        expired=any(waivers.expired(waiver) for waiver in applied.named_by),
    )


def _of_waiver(remark: Remark, levels: list[Level]) -> Finding:
    waiver = remark.waiver
    level = _LEVELS.get(remark.kind) or min(levels, key=lambda level: level.rank)
    return Finding(
        rule="waivers",
        level=level,
        verdict=Verdict.FAIL,
        label=f"waivers/{waiver.rule}/{waiver.resource}",
        message=remark.message,
        fix=remark.fix,
        place=Place(file=waiver.file, line=waiver.line, column=waiver.column),
        code=ExitCode.WAIVER,
        expired=remark.kind is Kind.EXPIRED,
    )


def _uses(
    environment: str, waivers: Waivers, applied: list[Applied], remarks: tuple[Remark, ...]
) -> Iterator[WaiverUse]:
    for waiver in waivers.of(environment):
        named = [one for one in applied if waiver in one.named_by]
        covered = [one for one in named if one.waiver is waiver]
        amounts = [one.judgement.amount for one in named if one.judgement.amount is not None]
        yield WaiverUse(
            waiver=waiver,
            findings=len(named),
            covered=len(covered),
            amount=max(amounts, default=None),
            resources=tuple(sorted({one.judgement.resource for one in covered})),
            remark=next((remark.kind for remark in remarks if remark.waiver is waiver), None),
        )


def _level(result: policies.Result, judgement: policies.Judgement, subject: Subject) -> Level:
    if judgement.raised:
        return Level.ERROR
    if result.enforcement is Enforcement.ADVISORY:
        return Level.WARNING
    undecided = judgement.verdict is policies.Verdict.UNDECIDED
    return Level.WARNING if undecided and not subject.strict else Level.ERROR


def _code(rule: AnyRule, judgement: policies.Judgement, *, undecided: bool) -> ExitCode:
    if judgement.raised:
        return ExitCode.ERROR
    return ExitCode.UNDECIDED if undecided and not rule.answerable else ExitCode.POLICY

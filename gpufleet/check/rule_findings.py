"""What the rules of `policies/rules` say of an environment."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.check.finding import Finding, Level, Verdict
from gpufleet.check.subject import Subject
from gpufleet.errors import ExitCode
from gpufleet.spec.problem import key_text
from policies import configuration
from policies import evaluate as policies
from policies.catalogue import rules
from policies.rule import AnyRule, Enforcement
from policies.view import View


def judged(subject: Subject) -> tuple[policies.Result, ...]:
    """Every rule's result; nothing without a graph.

    Raises:
        ConfigurationError: the environment's configuration of the rules is wrong.
    """
    if subject.graph is None:
        return ()
    view = View(
        graph=subject.graph,
        given=subject.environment,
        given_estimate=subject.estimate,
        given_advice=subject.advice,
    )
    return policies.evaluate(view, rules(), configuration.load(subject.name, rules()))


def findings(result: policies.Result, subject: Subject) -> Iterator[Finding]:
    """A result's objections, with their places in the stack file."""
    for judgement in result.judgements:
        undecided = judgement.verdict is policies.Verdict.UNDECIDED
        yield Finding(
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

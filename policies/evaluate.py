"""Every rule's verdict on a stack. A rule that can't decide, or that raises, never passes."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from gpufleet.spec.base import Path
from policies.reading import MistypedError, UndecidedError
from policies.rule import AnyRule, Enforcement, Objection, Settings, Subject
from policies.view import View


class Verdict(StrEnum):
    """What a rule comes to."""

    PASS = "pass"  # noqa: S105 no password
    FAIL = "fail"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One thing that a rule objects to.

    Attributes:
        rule: its id.
        verdict: fail or undecided.
        resource: URN of what it is about, "" when that is no resource.
        label: the subject's name that stays when lines move and pools rotate, such as `training/lab/pools/h100`.
        path: what in the specification decides it; () when nothing does.
        message: the cause with its numbers, without a full stop.
        fix: what to do, a sentence without its full stop.
        amount: in the rule's measure, the larger the worse; None when it has none.
        mistyped: it fails for a value that can't be read, so that nobody can tell how bad it is, and nothing waives it.
        raised: the rule itself failed: this is no verdict on the subject, and nothing waives it.
        trace: its stack trace then.
    """

    rule: str
    verdict: Verdict
    resource: str
    label: str
    path: Path
    message: str
    fix: str
    amount: Decimal | None = None
    mistyped: bool = False
    raised: bool = False
    trace: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one rule says of one stack.

    Attributes:
        rule: the rule.
        enforcement: mandatory or advisory, as configured.
        verdict: fail when anything fails, else undecided when anything is, else pass; not applicable without a subject.
        subjects: how many it has judged.
        judgements: all objections, in the order of the subjects.
    """

    rule: AnyRule
    enforcement: Enforcement
    verdict: Verdict
    subjects: int
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A rule's settings and enforcement in one environment."""

    settings: Settings
    enforcement: Enforcement
    """Mandatory, too, where it is to be remediated."""
    remediate: bool = False


def evaluate(
    view: View, rules: Iterable[AnyRule], configuration: Mapping[str, Configured] | None = None
) -> tuple[Result, ...]:
    """Ask every rule that is not disabled.

    Args:
        view: the stack.
        rules: in the order of the results.
        configuration: by rule id; a rule that is missing has its defaults.
    """
    return tuple(_evaluate(view, rule, configured) for rule, configured in _enabled(rules, configuration or {}))


def defaults(rule: AnyRule) -> Configured:
    """What holds for a rule that nobody configured."""
    # Unvalidated, as pydantic takes any default: so no validator is made for a rule that nobody configured.
    return Configured(settings=rule.settings.model_construct(), enforcement=rule.enforcement)


def _enabled(rules: Iterable[AnyRule], configuration: Mapping[str, Configured]) -> Iterator[tuple[AnyRule, Configured]]:
    for rule in rules:
        configured = configuration.get(rule.id) or defaults(rule)
        if configured.enforcement is not Enforcement.DISABLED:
            yield rule, configured


def _evaluate(view: View, rule: AnyRule, configured: Configured) -> Result:
    found: list[Judgement] = []
    try:
        subjects = list(rule.subjects(view))
    except UndecidedError as error:
        subjects, found = [], [_open(rule, None, str(error))]
    except Exception as error:  # noqa: BLE001 a rule that raises must neither pass nor hide the others
        subjects, found = [], [_raised(rule, None, error)]
    for subject in subjects:
        found += _judge(view, rule, configured.settings, subject)
    return Result(
        rule=rule,
        enforcement=configured.enforcement,
        verdict=_verdict(found, subjects),
        subjects=len(subjects),
        judgements=tuple(found),
    )


def _judge(view: View, rule: AnyRule, settings: Settings, subject: Subject) -> list[Judgement]:
    found: list[Judgement] = []
    try:
        for objection in rule.judge(subject, view, settings):
            found.append(_judgement(rule, subject, objection))  # noqa: PERF401 what came before an error counts
    except UndecidedError as error:
        found.append(_open(rule, subject, str(error)))
    except MistypedError as error:
        found.append(replace(_open(rule, subject, str(error)), verdict=Verdict.FAIL, mistyped=True))
    except Exception as error:  # noqa: BLE001 see _evaluate
        found.append(_raised(rule, subject, error))
    return found


def _verdict(found: list[Judgement], subjects: list[Subject]) -> Verdict:
    if any(judgement.verdict is Verdict.FAIL for judgement in found):
        return Verdict.FAIL
    if found:
        return Verdict.UNDECIDED
    return Verdict.PASS if subjects else Verdict.NOT_APPLICABLE


def _judgement(rule: AnyRule, subject: Subject, objection: Objection) -> Judgement:
    return Judgement(
        rule=rule.id,
        verdict=Verdict.FAIL if objection.decided else Verdict.UNDECIDED,
        resource=subject.urn,
        label=subject.label,
        path=subject.path(*objection.setting) if objection.at is None else objection.at,
        message=objection.message,
        fix=objection.fix or rule.fix,
        amount=None if objection.amount is None else Decimal(objection.amount),
    )


def _open(rule: AnyRule, subject: Subject | None, message: str) -> Judgement:
    return Judgement(
        rule=rule.id,
        verdict=Verdict.UNDECIDED,
        resource=subject.urn if subject else "",
        label=subject.label if subject else "environment",
        path=subject.path() if subject else (),
        message=message,
        fix=f"State it plainly in the program, so that it can be judged before it is made. {rule.fix}",
    )


def _raised(rule: AnyRule, subject: Subject | None, error: Exception) -> Judgement:
    return replace(
        _open(rule, subject, f"the rule raised {type(error).__name__}: {error}"),
        verdict=Verdict.FAIL,
        fix="This is a mistake in the rule, not in the environment; the JSON report has its stack trace",
        raised=True,
        trace="".join(traceback.format_exception(error)),
    )

"""What is declared and does not do what it is declared for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gpufleet.check.finding import Finding, Level, Verdict
from gpufleet.check.subject import Subject
from gpufleet.sizing.advice import SERVING_RULES, TRAINING_RULES, Objection
from gpufleet.spec.environment import EnvironmentClass
from gpufleet.spec.problem import key_text

_NAME: Final = "sizing."


def rules(subject: Subject) -> Iterator[str]:
    """Those of training where there is a workload, those of serving where there is a model."""
    if subject.advice is None:
        return
    environment = subject.environment
    if any(fabric.workload is not None for fabric in environment.training):
        yield from (f"{_NAME}{rule}" for rule in TRAINING_RULES)
    if environment.inference is not None and environment.inference.models:
        yield from (f"{_NAME}{rule}" for rule in SERVING_RULES)


def find(subject: Subject) -> Iterable[Finding]:
    """All objections. Nothing without advice."""
    return [_finding(objection, subject) for one in subject.advice or () for objection in one.objections]


def _finding(objection: Objection, subject: Subject) -> Finding:
    place = subject.place(objection.path)
    rule = f"{_NAME}{objection.rule}"
    if objection.decided or _unasked(objection):
        return Finding(
            rule=rule,
            level=_level(objection, subject),
            verdict=Verdict.FAIL if objection.decided else Verdict.UNDECIDED,
            key=key_text(objection.path),
            message=objection.message,
            fix=objection.fix,
            place=place,
        )
    return Finding.undecided(
        strict=subject.strict,
        rule=rule,
        path=objection.path,
        message=objection.message,
        fix=objection.fix,
        place=place,
    )


def _level(objection: Objection, subject: Subject) -> Level:
    if _unasked(objection):
        return Level.NOTE
    # A stack file promises to survive the loss of a region by its class alone.
    if objection.rule == "region-loss" and subject.environment.environment_class is not EnvironmentClass.PRODUCTION:
        return Level.WARNING
    return Level.ERROR


def _unasked(objection: Objection) -> bool:
    """A fabric that declares no workload asks nothing of sizing: there is no open question in it."""
    return objection.rule == "workload" and objection.path[-1] == "workload"

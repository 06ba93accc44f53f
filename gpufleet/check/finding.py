"""One thing that a check has to say about an environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gpufleet.errors import ExitCode
from gpufleet.spec import Problem
from gpufleet.spec.base import Path
from gpufleet.spec.problem import key_text
from policies.rule import Severity
from policies.waivers import Waiver

_INDEX: Final = re.compile(r"\[\d+\]")


class Level(StrEnum):
    """How bad it is, in SARIF's words (SARIF 2.1.0, result.level). Only an error fails a check."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Level).index(self)


class Since(StrEnum):
    """A finding beside those of the base that a change is held against."""

    NEW = "new"
    WORSENED = "worsened"
    EXISTING = "existing"


class Verdict(StrEnum):
    """What a rule, or a whole check, comes to."""

    PASS = "pass"  # noqa: S105 no password
    FAIL = "fail"
    UNDECIDED = "undecided"
    """Nobody can tell, for a price or a measurement is missing."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in a file; line and column count from 1, None when they aren't known."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one rule found on one resource or key.

    Attributes:
        rule: its id, such as `COST002`; `spec`, `plan`, `cost`, `sizing` and `rules` for what stands in the way of the
            rules, `waivers` for what there is to say about one.
        verdict: fail or undecided.
        resource: URN of what it is about, "" when it is about the stack file alone.
        label: the subject's name that stays when lines move and pools rotate: `training/lab/pools/h100`. Together with
            `rule` and `key` it names the finding, whatever its numbers or its line are.
        key: what in the stack file decides it, such as `training[0].pools[0].nodes.max`; "" for the whole file.
        message: the cause with its numbers, without a full stop.
        fix: what to do, a sentence without its full stop.
        reference: the documentation behind the rule, "" when it is arithmetic on what the stack file says.
        place: of the key.
        code: what the process ends with when this is an error.
        trace: of a rule or program that raised.
        severity: how much is at stake, as its rule says; None of what is no rule's.
        measure: what `amount` counts, such as `maxNodes`; "" without.
        amount: how bad it is: the larger the worse.
        waiver: what lets it pass: it is shown, and fails nothing. Nothing but a rule's finding is ever waived.
        expired: whether a waiver named it until it ran out; the finding of the rule `waivers` that says so has it too.
        since: None when nobody compares with a base.
    """

    rule: str
    level: Level
    verdict: Verdict
    resource: str = ""
    label: str = ""
    key: str = ""
    message: str
    fix: str = ""
    reference: str = ""
    place: Place | None = None
    code: ExitCode = ExitCode.POLICY
    trace: str = ""
    severity: Severity | None = None
    measure: str = ""
    amount: Decimal | None = None
    waiver: Waiver | None = None
    expired: bool = False
    since: Since | None = None

    @property
    def said(self) -> str:
        """The cause, with the key it is about."""
        return f"{self.key}: {self.message}" if self.key else self.message

    @property
    def identity(self) -> tuple[str, str, str]:
        """What is the same when the same thing is found again: rule, subject and key.

        Of a subject with a name, the key is without list indices: they move when a pool is added before it.
        """
        subject = self.label or self.resource
        return (self.rule, subject, _INDEX.sub("[]", self.key) if subject else self.key)

    @classmethod
    def of_problem(cls, problem: Problem) -> Finding:
        """What reading the stack file found."""
        return cls(
            rule="spec",
            level=Level(problem.severity.value),
            verdict=Verdict.FAIL,
            key=problem.key,
            message=problem.message,
            fix=problem.fix,
            reference=problem.source,
            place=Place(file=problem.file, line=problem.line, column=problem.column),
            code=ExitCode.CONFIGURATION,
        )

    @classmethod
    def undecided(cls, *, strict: bool, rule: str, path: Path, message: str, fix: str, place: Place) -> Finding:
        """A question without an answer: an error when strict, else a warning."""
        return cls(
            rule=rule,
            level=Level.ERROR if strict else Level.WARNING,
            verdict=Verdict.UNDECIDED,
            key=key_text(path),
            message=message,
            fix=fix,
            place=place,
            code=ExitCode.UNDECIDED,
        )

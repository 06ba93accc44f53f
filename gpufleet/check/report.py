"""All that a check says about one environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gpufleet.check.finding import Finding, Level, Verdict
from gpufleet.cost import CostDifference, Estimate
from gpufleet.errors import ExitCode
from gpufleet.graph import Graph
from gpufleet.sizing.advice import Advice

_LEVELS: Final = tuple(Level)
_WORST_FIRST: Final = (ExitCode.CONFIGURATION, ExitCode.POLICY, ExitCode.UNDECIDED, ExitCode.OK)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The check beside that of a base.

    Attributes:
        base: what the change is held against, in words: a git reference or a file.
        fixed: findings of the base that are gone.
        cost: None when one of the two could not be priced.
    """

    base: str
    fixed: tuple[Finding, ...]
    cost: CostDifference | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """One environment, checked.

    Attributes:
        file: the stack file, as messages name it.
        strict: whether what is unpriced or undecided counts as an error.
        findings: errors first, each level in the order of the stack file.
        passed: ids of the rules that were asked and had nothing to say, sorted.
        not_applicable: ids of the rules that found nothing to judge, sorted.
        graph: None when the program could not be planned.
        comparison: None when nobody compares.
        estimate: None when it could not be made, for the stack file or the program has mistakes.
        advice: None likewise.
    """

    environment: str
    file: str
    strict: bool
    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    estimate: Estimate | None = None
    advice: tuple[Advice, ...] | None = None
    not_applicable: tuple[str, ...] = ()
    graph: Graph | None = None
    comparison: Comparison | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with: see `worst`."""
        return worst(finding.code for finding in self.findings if finding.fails)

    @property
    def verdict(self) -> Verdict:
        """Fail when anything is wrong, undecided when all errors are open questions."""
        match self.exit_code:
            case ExitCode.OK:
                return Verdict.PASS
            case ExitCode.UNDECIDED:
                return Verdict.UNDECIDED
            case _:
                return Verdict.FAIL

    def of(self, level: Level) -> tuple[Finding, ...]:
        """The findings of one level."""
        return tuple(finding for finding in self.findings if finding.level is level)


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings as reports list them, whatever order their sources found them in."""
    return tuple(sorted(findings, key=_rank))


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that says most: a crash, then a mistake in a file, a broken rule, an open question; OK of nothing."""
    return min(codes, key=_badness, default=ExitCode.OK)


def _badness(code: ExitCode) -> int:
    return _WORST_FIRST.index(code) if code in _WORST_FIRST else -1


def _rank(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    where = (place.file, place.line or 0, place.column or 0) if place else ("", 0, 0)
    return (_LEVELS.index(finding.level), *where, finding.rule, finding.resource, finding.key, finding.message)

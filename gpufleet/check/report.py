"""All that a check says about one environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gpufleet.check.finding import Finding, Level, Since, Verdict
from gpufleet.check.rule_findings import WaiverUse
from gpufleet.cost import CostDifference, Estimate
from gpufleet.errors import ExitCode
from gpufleet.graph import Graph
from gpufleet.sizing.advice import Advice

if TYPE_CHECKING:
    from gpufleet.cost.token_cost import TokenCost
    from gpufleet.outlook import Outlook

_WORST_FIRST: Final = (
    ExitCode.CONFIGURATION,
    ExitCode.WAIVER,
    ExitCode.POLICY,
    ExitCode.UNDECIDED,
    ExitCode.OK,
)
_OF_RULES: Final = (ExitCode.POLICY, ExitCode.UNDECIDED)
"""A crash, or a mistake in a file, fails every check: nobody knows what it hides."""


class FailOn(StrEnum):
    """What fails a check beside errors that are new or worse than in the base (every error, when nobody compares)."""

    ALL = "all"
    """Errors that the base has, too."""
    WARNING = "warning"
    """Warnings, too."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The check beside that of a base.

    Attributes:
        base: what the change is held against, in words: a git reference or a file.
        fixed: findings of the base that are gone; their places are those in the base's file.
        cost: None when one of the two could not be priced.
        problem: why the base could not be judged, so that every finding is new; "" when it was.
    """

    base: str
    fixed: tuple[Finding, ...]
    cost: CostDifference | None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One environment, checked.

    Attributes:
        file: the stack file, as messages name it.
        strict: whether what is unpriced or undecided counts as an error.
        findings: errors first, each level in the order of the stack file.
        passed: ids of the rules that were asked and had nothing to say, sorted.
        not_applicable: ids of the rules that found nothing to judge, sorted.
        disabled: ids of the rules that the environment's configuration turns off, sorted.
        graph: None when the program could not be planned.
        comparison: None when nobody compares.
        estimate: None when it could not be made, for the stack file or the program has mistakes.
        advice: None likewise.
        outlook: None likewise, and without models to serve.
        token_costs: what a million tokens of these models cost; () without an estimate.
        waivers: what every waiver of the environment does; () where the rules could not be asked.
        fail_on: what fails the check beyond the default.
        configuration: the file with what the rules allow, as messages name it, whether there is one or not (`inputs`);
            "" where no rule was asked.
        inputs: SHA-256 in hexadecimal of every file that the verdict rests on, by the name messages give it.
    """

    environment: str
    file: str
    strict: bool
    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    estimate: Estimate | None = None
    advice: tuple[Advice, ...] | None = None
    outlook: Outlook | None = None
    token_costs: tuple[TokenCost, ...] = ()
    not_applicable: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    graph: Graph | None = None
    comparison: Comparison | None = None
    waivers: tuple[WaiverUse, ...] = ()
    fail_on: frozenset[FailOn] = frozenset()
    configuration: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with: see `worst`."""
        return worst(finding.code for finding in self.findings if self.fails(finding))

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

    @property
    def judged(self) -> bool:
        """Whether the rules could be asked; without that nobody knows what they would have found."""
        return self.graph is not None and not any(finding.rule == "rules" for finding in self.findings)

    def of(self, level: Level) -> tuple[Finding, ...]:
        """The findings of one level."""
        return tuple(finding for finding in self.findings if finding.level is level)

    def fails(self, finding: Finding) -> bool:
        """Whether the check fails for a finding.

        A waived one never does. A broken rule or an open question that the base has too does with `FailOn.ALL` alone,
        unless its waiver has expired: that day is over for every change.
        """
        lasting = finding.level is Level.ERROR and (finding.expired or finding.code not in _OF_RULES)
        existing = finding.since is Since.EXISTING and not lasting
        if finding.waiver is not None or (existing and FailOn.ALL not in self.fail_on):
            return False
        return finding.level is Level.ERROR or (finding.level is Level.WARNING and FailOn.WARNING in self.fail_on)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings as reports list them, whatever order their sources found them in."""
    return tuple(sorted(findings, key=_rank))


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that says most; OK of nothing.

    A crash, a mistake in a file, an expired waiver, a broken rule, an open question: whoever sees 5 knows that no
    waiver has run out.
    """
    return min(codes, key=_badness, default=ExitCode.OK)


def _badness(code: ExitCode) -> int:
    return _WORST_FIRST.index(code) if code in _WORST_FIRST else -1


def _rank(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    where = (place.file, place.line or 0, place.column or 0) if place else ("", 0, 0)
    return (finding.level.rank, *where, finding.rule, finding.resource, finding.key, finding.message)

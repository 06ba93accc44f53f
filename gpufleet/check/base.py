"""What a change is held against, and the findings of one beside those of the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from gpufleet.check.finding import Finding, Since, Verdict


@dataclass(frozen=True, kw_only=True)
class Base:
    """The files of one environment as they were. The program and the rules are those of now.

    Attributes:
        name: in words: a git reference with its commit, or a file.
        stack: text of the stack file; None when there was none, so that everything is new.
        waivers: text of `stacks/waivers.yaml`; "" when there was none.
        configuration: text of `policies/config/<environment>.json`, likewise.
    """

    name: str
    stack: str | None
    waivers: str = ""
    configuration: str = ""


def beside(now: Iterable[Finding], before: Iterable[Finding]) -> tuple[list[Finding], tuple[Finding, ...]]:
    """The findings of now, each new, worsened or existing, and those of the base that are gone.

    Findings of one identity (the InfiniBand domains of a pool, say) are paired from the worst down, so that one more of
    them is new and none hides behind another.
    """
    left: dict[tuple[str, str, str], list[Finding]] = {}
    for old in sorted(before, key=_badness, reverse=True):
        left.setdefault(old.identity, []).append(old)
    found = []
    for finding in sorted(now, key=_badness, reverse=True):
        others = left.get(finding.identity, [])
        found.append(replace(finding, since=_since(finding, others.pop(0)) if others else Since.NEW))
    return found, tuple(old for others in left.values() for old in others)


def _since(now: Finding, before: Finding) -> Since:
    worse = (
        now.level.rank < before.level.rank
        or (now.verdict is Verdict.FAIL and before.verdict is not Verdict.FAIL)
        or (now.waiver is None and before.waiver is not None)
        or _grew(before.amount, now.amount)
    )
    return Since.WORSENED if worse else Since.EXISTING


def _grew(before: Decimal | None, now: Decimal | None) -> bool:
    """Whether it is more, or no longer known."""
    return before is not None and (now is None or now > before)


def _badness(finding: Finding) -> tuple[bool, int, bool, Decimal]:
    return (
        finding.waiver is None,
        -finding.level.rank,
        finding.verdict is Verdict.FAIL,
        Decimal("-Infinity") if finding.amount is None else finding.amount,
    )

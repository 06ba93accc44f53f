"""Waivers: findings that a team lets pass for a while, in `stacks/waivers.yaml` (docs/guides/waivers.md).

`policies.waivers_file.load` reads the file whole or not at all, `apply` says of every judgement whether a waiver covers
it, and `remarks` what there is to say about the waivers themselves. Days are UTC's, and the caller says which one today
is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gpufleet.plural import plural
from policies.evaluate import Judgement, Verdict

SOON: Final = 14
"""Days before its end from which on a waiver is announced."""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One finding that may pass.

    Attributes:
        rule: id.
        environment: its name.
        resource: the subject's label, such as `training/lab/pools/h100`, or its URN.
        bound: what the rule's measure may come to; None for a rule without one. More is not waived.
        expires: the last day, in UTC, on which it holds.
        file: where it stands, as messages name it.
        line: of its first key, from 1.
        column: likewise.
    """

    rule: str
    environment: str
    resource: str
    reason: str
    owner: str
    ticket: str
    approved_by: str
    expires: dt.date
    bound: Decimal | None = None
    file: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """`stacks/waivers.yaml:3`."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def names(self, judgement: Judgement) -> bool:
        """Whether it is about the rule and the subject of a judgement, covered or not."""
        return self.rule == judgement.rule and (
            self.resource == judgement.label or (self.resource == judgement.resource and not _inline(judgement))
        )


@dataclass(frozen=True, kw_only=True)
class Waivers:
    """All waivers of a checkout, each of them well-formed.

    Attributes:
        entries: in the order of the file.
        today: the day, in UTC, that they are held against.
        digest: SHA-256 of the file in hexadecimal; "" without a file.
    """

    entries: tuple[Waiver, ...] = ()
    today: dt.date
    digest: str = ""

    def of(self, environment: str) -> tuple[Waiver, ...]:
        """Those of one environment."""
        return tuple(waiver for waiver in self.entries if waiver.environment == environment)

    def expired(self, waiver: Waiver) -> bool:
        """Whether its last day is over."""
        return waiver.expires < self.today

    def days_left(self, waiver: Waiver) -> int:
        """Days until its last one: 0 on it, negative when it has expired."""
        return (waiver.expires - self.today).days


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A judgement beside the waivers.

    Attributes:
        judgement: as it was; where a waiver names it and does not cover it, its message says why.
        waiver: what covers it: the finding is shown, and fails nothing.
        named_by: every waiver that names its rule and its subject, in the order of the file.
    """

    judgement: Judgement
    waiver: Waiver | None = None
    named_by: tuple[Waiver, ...] = field(default=())


class Kind(StrEnum):
    """What a remark on a waiver is about."""

    EXPIRED = "expired"
    """Its finding is still there and is active again."""
    CLASH = "clash"
    """Another waiver names the same finding, so that neither holds."""
    UNUSED = "unused"
    """No finding has its rule and resource."""
    EXPIRING = "expiring"
    """It covers a finding, and ends within `SOON` days."""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something to say about a waiver.

    Attributes:
        message: without a full stop.
        fix: what to do, a sentence without its full stop.
        applied: the judgements that the waiver names.
    """

    kind: Kind
    waiver: Waiver
    message: str
    fix: str
    applied: tuple[Applied, ...]


def apply(judgements: Iterable[Judgement], waivers: Waivers, environment: str) -> tuple[Applied, ...]:
    """Say of every judgement whether a waiver covers it; each is decided by itself, in the order given.

    A waiver covers a judgement of its rule on its resource alone, until the end of its last day, and only while the
    amount is within its bound. Nothing covers what is undecided or can't be read, or what is no verdict because the
    rule raised.
    """
    entries = waivers.of(environment)
    return tuple(_applied(judgement, entries, waivers) for judgement in judgements)


def remarks(
    applied: Sequence[Applied], waivers: Waivers, environment: str, rules: Collection[str]
) -> tuple[Remark, ...]:
    """What there is to say about the waivers of an environment, in the order of the file.

    Args:
        applied: what `apply` made of all judgements of these rules.
        waivers: all.
        environment: name.
        rules: ids of the rules that were asked; waivers of others are left out.
    """
    return tuple(
        remark
        for waiver in waivers.of(environment)
        if waiver.rule in rules
        for remark in _remarks(waiver, tuple(one for one in applied if waiver in one.named_by), waivers)
    )


def _applied(judgement: Judgement, entries: Iterable[Waiver], waivers: Waivers) -> Applied:
    named_by = tuple(waiver for waiver in entries if waiver.names(judgement))
    if not named_by:
        return Applied(judgement=judgement)
    if (why := _uncovered(judgement, named_by, waivers)) is None:
        return Applied(judgement=judgement, waiver=named_by[0], named_by=named_by)
    return Applied(judgement=replace(judgement, message=f"{judgement.message}; {why}"), named_by=named_by)


def _uncovered(judgement: Judgement, named_by: Sequence[Waiver], waivers: Waivers) -> str | None:
    """Why the waivers that name a judgement don't cover it; None when one does."""
    waiver, amount = named_by[0], judgement.amount
    if len(named_by) > 1:
        return f"{len(named_by)} waivers name it ({', '.join(one.place for one in named_by)}), so none holds"
    reasons = (
        (judgement.raised, "covers no rule that raises"),
        (judgement.verdict is not Verdict.FAIL, "covers nothing undecided"),
        (judgement.mistyped, "covers no value that can't be read"),
        (waivers.expired(waiver), f"expired on {waiver.expires} ({waiver.owner}, {waiver.ticket})"),
        (_beyond(waiver, amount), f"covers up to {_shown(waiver.bound)}, and {_badness(amount)}"),
    )
    why = next((reason for holds, reason in reasons if holds), None)
    return why and f"the waiver at {waiver.place} {why}"


def _beyond(waiver: Waiver, amount: Decimal | None) -> bool:
    return waiver.bound is not None and (amount is None or not amount <= waiver.bound)


def _badness(amount: Decimal | None) -> str:
    return "how bad this is nobody can tell" if amount is None else f"this is {_shown(amount)}"


def _shown(number: Decimal | None) -> str:
    return "" if number is None else f"{number:,}"


def _remarks(waiver: Waiver, applied: tuple[Applied, ...], waivers: Waivers) -> Iterator[Remark]:
    what = f"the waiver of {waiver.rule} for {waiver.resource} in {waiver.environment}"
    if not applied:
        ended = f" and expired on {waiver.expires}" if waivers.expired(waiver) else ""
        yield Remark(
            kind=Kind.UNUSED,
            waiver=waiver,
            message=f"{what} matches no finding{ended}",
            fix="Take it out, or correct its rule and resource",
            applied=(),
        )
        return
    if any(len(one.named_by) > 1 for one in applied):
        others = {other.place for one in applied for other in one.named_by if other is not waiver}
        yield Remark(
            kind=Kind.CLASH,
            waiver=waiver,
            message=f"{what} names a finding that {', '.join(sorted(others))} names too, so neither holds",
            fix="Keep one of them",
            applied=applied,
        )
    if waivers.expired(waiver):
        yield Remark(
            kind=Kind.EXPIRED,
            waiver=waiver,
            message=f"{what} expired on {waiver.expires}, and its finding is still there; {waiver.owner} owns it, "
            f"{waiver.approved_by} approved it, {waiver.ticket} tracks it",
            fix="Mend what it covered and take it out, or have it approved anew with a later `expires`",
            applied=applied,
        )
    elif waivers.days_left(waiver) <= SOON and any(one.waiver is waiver for one in applied):
        days = waivers.days_left(waiver)
        yield Remark(
            kind=Kind.EXPIRING,
            waiver=waiver,
            message=f"{what} expires on {waiver.expires}, " + ("today" if days == 0 else f"in {plural(days, 'day')}"),
            fix=f"{waiver.owner}: mend what it covers, or have it approved anew ({waiver.ticket})",
            applied=applied,
        )


def _inline(judgement: Judgement) -> bool:
    """Whether the subject is a pool inside a cluster: its URN is the cluster's, and names all of its pools at once."""
    kind = judgement.resource.rpartition("::")[0].rpartition("$")[2].rpartition("::")[2]
    return "/pools/" in judgement.label and not kind.endswith(":AgentPool")

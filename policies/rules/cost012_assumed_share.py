"""COST012: how much of the estimate is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Declared, View
from policies.words import usd


class AssumedShareSettings(Settings):
    """What COST012 allows."""

    max_percent: float = 10
    """Of the ceiling in percent."""
    min_monthly_usd: float = 1000
    """At assumed prices, below which the share doesn't matter."""


class AssumedShare(Rule[Declared, AssumedShareSettings]):
    """Most of what the environment may cost rests on prices that somebody published or agreed to.

    A planning price of the stack file, or the list price of another region, is a guess with a reason. Where guesses
    make up much of the ceiling, the gate is as good as they are.
    """

    id = "COST012"
    pack = Pack.COST
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    measure = "assumedPercent"
    fix = "Ask for a quotation, and enter it as a negotiated price"
    source = ""
    settings = AssumedShareSettings

    def subjects(self, view: View) -> Iterable[Declared]:
        """The environment."""
        return () if view.declared is None else (view.declared,)

    def judge(self, subject: Declared, view: View, settings: AssumedShareSettings) -> Iterator[Objection]:
        """The share of the ceiling at assumed prices."""
        from gpufleet.cost import PriceKind  # noqa: PLC0415 a pack's start need not wait for it

        assumed = view.estimate.of_kind(PriceKind.ASSUMED).monthly.ceiling
        whole = view.estimate.total.monthly.ceiling
        if assumed < Decimal(str(settings.min_monthly_usd)):
            return
        if assumed * 100 > whole * Decimal(str(settings.max_percent)):
            share = round(assumed / whole * 100, 1)
            yield Objection(
                message=f"{usd(assumed)} of the ceiling's {usd(whole)} a month, {share} %, are at assumed prices; "
                f"{settings.max_percent:g} % are allowed",
                setting=("prices", "assumed"),
                amount=share,
            )

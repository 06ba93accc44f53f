"""COST010: planning prices that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gpufleet.spec.assumed_prices import AssumedPrice
from gpufleet.spec.base import Path
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import View


@dataclass(frozen=True, eq=False)
class PlanningPrice:
    """One of `prices.assumed`."""

    urn: str
    """Of the environment."""
    index: int
    price: AssumedPrice

    @property
    def label(self) -> str:
        """`environment/prices/Standard_NC80adis_H100_v5 spot in eastus`."""
        price = self.price
        subject = f"{price.sku} {price.priority.value}" if price.sku else f"{price.service}, {price.meter}"
        return f"environment/prices/{subject}{' in ' if price.regions else ''}{', '.join(price.regions)}"

    def path(self, *setting: str | int) -> Path:
        """See `policies.rule.Subject`."""
        return ("prices", "assumed", self.index, *setting)


class UnusedPlanningPrice(Rule[PlanningPrice, Settings]):
    """Every planning price is of something that has no other price.

    A list price has come, or what it was for has gone: it says nothing any more, and whoever reads it believes that the
    estimate rests on it.
    """

    id = "COST010"
    pack = Pack.COST
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    fix = "Take it out, or correct what it names"
    source = ""

    def subjects(self, view: View) -> Iterable[PlanningPrice]:
        """The planning prices."""
        declared = view.declared
        prices = declared.environment.prices.assumed if declared else []
        return [PlanningPrice(declared.urn if declared else "", index, price) for index, price in enumerate(prices)]

    def judge(self, subject: PlanningPrice, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the estimate needed it."""
        if any(unused.index == subject.index for unused in view.estimate.unused):
            what = subject.price.sku or subject.price.meter
            yield Objection(message=f"is not used ({what}): a price is known, or nothing here needs it")

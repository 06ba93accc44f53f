"""COST002: the cost gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Declared, View
from policies.words import usd

if TYPE_CHECKING:
    from gpufleet.cost import Estimate
    from gpufleet.cost.lines import Origin


class CostGate(Rule[Declared, Settings]):
    """What the environment may cost in the longest month is within its budget.

    `budget.gate` says which bound is held against `budget.monthlyUsd`: all pools at their least, at their declared use,
    or at their most (the default). A month has up to 31 days, 744 hours. An Azure budget tells people a day later and
    stops nothing; this is asked before anything is created.
    """

    id = "COST002"
    pack = Pack.COST
    severity = Severity.CRITICAL
    scope = Scope.STACK
    measure = "overBudgetUsd"
    fix = "Lower a pool's maximum, raise budget.monthlyUsd, or hold another bound with budget.gate"
    source = ""

    def subjects(self, view: View) -> Iterable[Declared]:
        """The environment."""
        return () if view.declared is None else (view.declared,)

    def judge(self, subject: Declared, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the gate's bound fits."""
        over = view.estimate.held - view.estimate.budget
        if over > 0:
            yield Objection(message=_message(view.estimate), setting=("budget", "monthlyUsd"), amount=over)


def _message(estimate: Estimate) -> str:
    from gpufleet.cost.money import HOURS_PER_PERIOD  # noqa: PLC0415 see policies.words

    gate = estimate.gate
    text = (
        f"the {gate.value} costs {usd(estimate.held)} in the longest month ({HOURS_PER_PERIOD:f} h), "
        f"{usd(estimate.held - estimate.budget)} more than the budget of {usd(estimate.budget)}"
    )
    name, amount = max(estimate.by(_part).items(), key=lambda part: part[1].period.at(gate))
    return f"{text}; the largest part is {usd(amount.period.at(gate))} for {name}"


def _part(origin: Origin) -> str:
    return f"pool {origin.pool} of {origin.component}" if origin.pool else origin.component

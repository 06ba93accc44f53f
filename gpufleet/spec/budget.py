"""The environment's budget: what it may cost a month, which bound is held against it, and who hears of it."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from gpufleet.spec.base import Spec

# The Pulumi engine hands a YAML date on as Go prints a time; both forms mean the same day.
_GO_TIME = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[T ]00:00:00(?:Z| \+0000 UTC)?)?$")


def plain_date(value: object) -> object:
    """A date from the texts that mean one; anything else as it is. Raises ValueError for a date no calendar has."""
    if isinstance(value, str) and (match := _GO_TIME.match(value)):
        try:
            return dt.date.fromisoformat(match.group(1))
        except ValueError as error:
            raise ValueError(f"is not a date that exists: {error}") from None
    return value


class Gate(StrEnum):
    """Which cost bound must stay within the budget before anything is created."""

    FLOOR = "floor"
    EXPECTED = "expected"
    CEILING = "ceiling"


class AlertKind(StrEnum):
    """Azure's `thresholdType` of a budget notification."""

    ACTUAL = "actual"
    FORECASTED = "forecasted"


class BudgetAlert(Spec):
    """One notification of the Azure budget."""

    kind: Annotated[AlertKind, Field(strict=False)]
    """actual: what has been spent. forecasted: what Azure expects by the end of the month."""
    percent: Annotated[float, Field(gt=0, le=1000)]
    """Share of the budget in percent at which it fires; Azure accepts up to 1000 (Microsoft.Consumption/budgets
    2024-08-01)."""


class Allocation(Spec):
    """A budget of what one model or one team has for itself: the nodes of pools that carry its tag.

    Exactly one of `model` and `team`. What several share has neither tag; `gpufleet cost` divides it by an estimate.
    """

    model: Annotated[str | None, Field(max_length=40)] = None
    """Name of a model of `inference.models`."""
    team: Annotated[str | None, Field(max_length=40)] = None
    """Name of a team that models state as theirs."""
    monthly_usd: Annotated[float, Field(gt=0, le=1e12)]
    """Limit in USD a month, at list prices; it notifies, and no gate holds it."""
    contacts: Annotated[
        list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]] | None, Field(min_length=1, max_length=50)
    ] = None
    """Mail addresses that receive its notifications; those of the whole budget unless given."""


class Budget(Spec):
    """The monthly budget.

    Azure budgets notify, they stop nothing: `gate` is what blocks a change before it costs money.
    """

    monthly_usd: Annotated[float, Field(gt=0, le=1e12)]
    """Limit in USD a month, at list prices."""
    gate: Annotated[Gate, Field(strict=False)] = Gate.CEILING
    """The cost bound that must be within the budget before anything is created."""
    start: Annotated[dt.date, BeforeValidator(plain_date)]
    """First of a month. Azure cannot change it later, so it is written once and never computed from today's date."""
    contacts: Annotated[
        list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]], Field(min_length=1, max_length=50)
    ]
    """Mail addresses that receive every notification (at most 50, Microsoft.Consumption/budgets)."""
    alerts: Annotated[list[BudgetAlert], Field(min_length=1, max_length=5)] = [
        BudgetAlert(kind=AlertKind.ACTUAL, percent=50),
        BudgetAlert(kind=AlertKind.ACTUAL, percent=80),
        BudgetAlert(kind=AlertKind.ACTUAL, percent=100),
        BudgetAlert(kind=AlertKind.FORECASTED, percent=100),
    ]
    """At most five notifications (Microsoft.Consumption/budgets)."""
    allocations: Annotated[list[Allocation], Field(max_length=100)] = []
    """Budgets of single models or teams within this one, with the same alerts."""

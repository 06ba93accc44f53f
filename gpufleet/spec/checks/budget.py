"""The budget: what Microsoft.Consumption accepts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem, Severity

_BUDGETS = "Microsoft.Consumption/budgets 2024-08-01"
_EARLIEST = dt.date(2017, 6, 1)


def check_budget(environment: Environment, today: dt.date | None = None) -> Iterator[Problem]:
    """Start and alerts. What depends on the calendar is judged when `today` is given."""
    start, path = environment.budget.start, ("budget", "start")
    if start.day != 1:
        fix = f"Write {start.replace(day=1).isoformat()}"
        yield Problem(path=path, message=f"{start} is not the first of a month", fix=fix, source=_BUDGETS)
    if start < _EARLIEST:
        fix = "Write the first of the month in which the environment is made"
        yield Problem(path=path, message=f"{start} is before {_EARLIEST}, the earliest", fix=fix, source=_BUDGETS)
    for index, first in repeated([(alert.kind, alert.percent) for alert in environment.budget.alerts]):
        message = f"is the same as budget.alerts[{first}]"
        yield Problem(path=("budget", "alerts", index), message=message, fix="Keep one")
    if today is not None:
        yield from _calendar(start, today)


def _calendar(start: dt.date, today: dt.date) -> Iterator[Problem]:
    this_month = today.replace(day=1)
    latest = this_month.replace(year=this_month.year + 1)
    path = ("budget", "start")
    if start > latest:
        message = f"{start} is more than twelve months ahead"
        yield Problem(path=path, message=message, fix=f"Write a month up to {latest}", source=_BUDGETS)
    elif _EARLIEST <= start < this_month:
        yield Problem(
            path=path,
            message=f"{start} is before this month, which Azure refuses for a new budget and keeps for an existing one",
            fix=f"For a new environment write {this_month} or later; for an existing one leave it",
            source=_BUDGETS,
            # Every environment gets there in its second month, and nothing here says which of the two it is.
            severity=Severity.NOTE,
        )

from __future__ import annotations

import datetime as dt

from gpufleet.spec import Severity
from tests.spec.environments import Case, cases, judge

_START = ("budget", "start")
_TODAY = dt.date(2026, 11, 21)


@cases(
    Case("not the first", {_START: "2026-12-02"}, "budget.start", "2026-12-02 is not the first of a month"),
    Case(
        "before budgets",
        {_START: "2017-05-01"},
        "budget.start",
        "2017-05-01 is before 2017-06-01, the earliest",
        {_START: "2017-06-01"},
    ),
    Case(
        "an alert twice",
        {("budget", "alerts"): [{"kind": "actual", "percent": 50}, {"kind": "actual", "percent": 50.0}]},
        "budget.alerts[1]",
        "is the same as budget.alerts[0]",
        {("budget", "alerts"): [{"kind": "actual", "percent": 50}, {"kind": "forecasted", "percent": 50}]},
    ),
    Case(
        "too far ahead",
        {_START: "2027-12-01"},
        "budget.start",
        "2027-12-01 is more than twelve months ahead",
        {_START: "2027-11-01"},
        today=_TODAY,
    ),
    Case(
        "in the past",
        {_START: "2026-10-01"},
        "budget.start",
        "2026-10-01 is before this month, which Azure refuses for a new budget and keeps for an existing one",
        {_START: "2026-11-01"},
        severity=Severity.NOTE,
        today=_TODAY,
    ),
)
def test_budget(case: Case) -> None:
    judge(case)


def test_without_a_date_the_calendar_is_left_alone() -> None:
    judge(
        Case(
            "", {_START: "2026-12-02"}, "budget.start", "2026-12-02 is not the first of a month", {_START: "2099-01-01"}
        )
    )

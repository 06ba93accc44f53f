from __future__ import annotations

import datetime as dt

from gpufleet.spec import Severity
from tests.spec.environments import Case, cases, judge

_START = ("budget", "start")
_TODAY = dt.date(2026, 11, 21)
_ALLOCATIONS = ("budget", "allocations")
_TEAM = ("inference", "models", 0, "team")
_OTHER = {
    "name": "other",
    "parametersB": 7,
    "precision": "fp8",
    "contextTokens": 4096,
    "demandTokensPerSecond": 10,
}


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
        "an allocation of nobody",
        {_ALLOCATIONS: [{"monthlyUsd": 1}]},
        "budget.allocations[0]",
        "names neither a model nor a team",
        {_ALLOCATIONS: [{"model": "chat", "monthlyUsd": 1}]},
    ),
    Case(
        "an allocation of two",
        {_ALLOCATIONS: [{"model": "chat", "team": "search", "monthlyUsd": 1}]},
        "budget.allocations[0]",
        "names both a model and a team",
        {_TEAM: "search", _ALLOCATIONS: [{"team": "search", "monthlyUsd": 1}]},
    ),
    Case(
        "an allocation of a model that isn't there",
        {_ALLOCATIONS: [{"model": "chta", "monthlyUsd": 1}]},
        "budget.allocations[0].model",
        '"chta" is not in inference.models',
        {_ALLOCATIONS: [{"model": "chat", "monthlyUsd": 1}]},
    ),
    Case(
        "an allocation of a team that no model states",
        {_ALLOCATIONS: [{"team": "search", "monthlyUsd": 1}]},
        "budget.allocations[0].team",
        '"search" is not stated as `team` by any model',
        {_TEAM: "search", _ALLOCATIONS: [{"team": "search", "monthlyUsd": 1}]},
    ),
    Case(
        "an allocation twice",
        {_ALLOCATIONS: [{"model": "chat", "monthlyUsd": 1}, {"model": "chat", "monthlyUsd": 2}]},
        "budget.allocations[1]",
        "is for the same as budget.allocations[0]",
        {_ALLOCATIONS: [{"model": "chat", "monthlyUsd": 1}]},
    ),
    Case(
        "a model that shares all of its nodes",
        {("inference", "models", 1): _OTHER, _ALLOCATIONS: [{"model": "chat", "monthlyUsd": 1}]},
        "budget.allocations[0].model",
        "chat has no GPU pool for itself, so no cost carries its tag: a budget counts nothing",
        {
            ("inference", "models", 1): _OTHER,
            ("inference", "regions", 0, "pools", 1): {
                "name": "own",
                "sku": "Standard_NC40ads_H100_v5",
                "nodes": {"min": 1, "max": 2},
                "serves": ["chat"],
            },
            _ALLOCATIONS: [{"model": "chat", "monthlyUsd": 1}],
        },
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

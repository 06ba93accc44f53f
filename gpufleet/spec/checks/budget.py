"""The budget: what Microsoft.Consumption accepts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool_tags import MODEL, TEAM, tagged
from gpufleet.spec.problem import Problem, Severity, quoted

_BUDGETS = "Microsoft.Consumption/budgets 2024-08-01"
_EARLIEST = dt.date(2017, 6, 1)


def check_budget(environment: Environment, today: dt.date | None = None) -> Iterator[Problem]:
    """Start, alerts and allocations. What depends on the calendar is judged when `today` is given."""
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
    yield from _allocations(environment)
    if today is not None:
        yield from _calendar(start, today)


def _allocations(environment: Environment) -> Iterator[Problem]:
    """Each is of one model or team that exists, has pools for itself and is named once."""
    inference, allocations = environment.inference, environment.budget.allocations
    models = inference.models if inference else []
    known = {MODEL: {model.name for model in models}, TEAM: {model.team for model in models if model.team}}
    reads: tuple[Path, ...] = (("inference",),)
    for index, one in enumerate(allocations):
        path: Path = ("budget", "allocations", index)
        stated = [(kind, name) for kind, name in ((MODEL, one.model), (TEAM, one.team)) if name is not None]
        if len(stated) != 1:
            names = "both a model and a team" if stated else "neither a model nor a team"
            yield Problem(path=path, message=f"names {names}", fix="Name one of them")
            continue
        kind, name = stated[0]
        if name not in known[kind]:
            near = nearest_name(name, sorted(known[kind]))
            where = "in inference.models" if kind == MODEL else "stated as `team` by any model"
            fix = f"Did you mean {near}?" if near else f"Name a {kind} that exists, or leave the allocation out"
            yield Problem(path=(*path, kind), message=f"{quoted(name)} is not {where}", fix=fix, reads=reads)
        elif inference is not None and (kind, name) not in set(tagged(inference)):
            yield Problem(
                path=(*path, kind),
                message=f"{name} has no GPU pool for itself, so no cost carries its tag: a budget counts nothing",
                fix="Name it in `serves` of pools that are its own" if kind == MODEL else "Name its models in `serves`",
                source="Cost Management docs: filter by tags; AKS use-tags",
                reads=reads,
            )
    for index, first in repeated([(one.model, one.team) for one in allocations]):
        message = f"is for the same as budget.allocations[{first}]"
        yield Problem(path=("budget", "allocations", index), message=message, fix="Keep one")


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

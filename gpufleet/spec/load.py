"""From a stack file, or from the value Pulumi hands the program, to the typed environment: or every mistake at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from gpufleet.spec.budget import plain_date
from gpufleet.spec.checks import problems_of
from gpufleet.spec.environment import Environment
from gpufleet.spec.messages import UNKNOWN_KEY, faults, path_of, problem_of, target_of
from gpufleet.spec.problem import Problem, Severity, SpecError
from gpufleet.spec.prune import Pruned, prune, whole
from gpufleet.spec.stack_file import ENVIRONMENT_KEY, StackFile

MOST_PROBLEMS: Final = 100
"""Beyond this many the text stops: nobody reads them, and the first ones explain the rest."""


@dataclass(frozen=True)
class Loaded:
    """A valid environment and what is worth knowing about it."""

    environment: Environment
    warnings: tuple[Problem, ...]


def load(source: pathlib.Path | str | StackFile, *, today: dt.date | None = None) -> Loaded:
    """Read and check a stack file, given as a path or as read already.

    Args:
        source: path of a `Pulumi.<env>.yaml`, or a `StackFile`.
        today: the date that calendar checks go by (budget start). Without it they are left out, as in the Pulumi
            program, which must come to the same result whenever it runs.

    Raises:
        SpecError: with every mistake in the file.

    """
    file = source if isinstance(source, StackFile) else StackFile.read(source)
    return _parse(file.environment, file, file.name, today)


def load_environment(source: pathlib.Path | str | StackFile, *, today: dt.date | None = None) -> Environment:
    """`load`, for callers that have no use for warnings."""
    return load(source, today=today).environment


def parse(value: object, *, source: StackFile | None = None) -> Loaded:
    """Check the environment that Pulumi's configuration holds (`gpufleet:environment` as an object).

    Args:
        value: what `pulumi.Config("gpufleet").require_object("environment")` returns.
        source: the stack file it probably came from. Messages name its lines when it says the same; it may differ, for
            `--config` and `--config-file` override it.

    Raises:
        SpecError: with every mistake.
    """
    if source is not None and _normal(source.environment) == _normal(value):
        return _parse(value, source, source.name, None)
    return _parse(value, None, f"configuration {ENVIRONMENT_KEY}", None)


def parse_environment(value: object, *, source: StackFile | None = None) -> Environment:
    """`parse`, for callers that have no use for warnings."""
    return parse(value, source=source).environment


def _parse(value: object, file: StackFile | None, name: str, today: dt.date | None) -> Loaded:
    problems = list(file.problems) if file else []
    try:
        pruned = whole(Environment.model_validate(value))
    except ValidationError as error:
        details = faults(error)
        meant = {target_of(detail) for detail in details}
        problems += [
            _placed(problem_of(detail), file, name)
            for detail in details
            if not (detail["type"] == "missing" and path_of(detail) in meant)  # its misspelt key is reported already
        ]
        pruned = prune(value, details)
    problems += [_placed(problem, file, name) for problem in _judged(pruned, today)]
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise SpecError(_first(problems, name))
    if pruned.environment is None:  # pragma: no cover - nothing left implies an error above
        raise SpecError(problems)
    return Loaded(pruned.environment, tuple(problems))


def _judged(pruned: Pruned, today: dt.date | None) -> Iterable[Problem]:
    if pruned.environment is None:
        return
    for problem in problems_of(pruned.environment, today=today):
        in_file = dataclasses.replace(
            problem,
            path=pruned.path_in_file(problem.path),
            reads=tuple(pruned.path_in_file(read) for read in problem.reads),
        )
        if not pruned.undecided(in_file):
            yield in_file


def _placed(problem: Problem, file: StackFile | None, name: str) -> Problem:
    position = file.position(problem.path, of_key=problem.message == UNKNOWN_KEY) if file else None
    line, column = position or (None, None)
    return dataclasses.replace(problem, file=name, line=line, column=column)


def _first(problems: list[Problem], name: str) -> list[Problem]:
    if len(problems) <= MOST_PROBLEMS:
        return problems
    rest = len(problems) - MOST_PROBLEMS
    ordered = sorted(
        problems, key=lambda problem: (problem.severity is not Severity.ERROR, problem.line or 0, problem.column or 0)
    )
    return [
        *ordered[:MOST_PROBLEMS],
        Problem(path=(), message=f"{rest} more problems are not shown", file=name, severity=Severity.WARNING),
    ]


def _normal(value: object) -> object:
    """The value in the form that survives the way through Pulumi's engine: dates as text, whole floats as integers."""
    match value:
        case dict():
            return {key: _normal(item) for key, item in value.items()}
        case list():
            return [_normal(item) for item in value]
        case dt.date():
            return value.isoformat()
        case float() if value.is_integer():
            return int(value)
        case str():
            return _normal_text(value)
    return value


def _normal_text(text: str) -> str:
    try:
        date = plain_date(text)
    except ValueError:
        return text
    return date.isoformat() if isinstance(date, dt.date) else text

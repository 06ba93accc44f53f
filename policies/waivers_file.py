"""Reading `stacks/waivers.yaml`: whole, or every mistake in it with its line, and then nothing of it holds."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from gpufleet.catalog.nearest import nearest_name
from gpufleet.errors import ExitCode
from gpufleet.spec.base import Path as KeyPath
from gpufleet.spec.base import Spec
from gpufleet.spec.budget import plain_date
from gpufleet.spec.messages import UNKNOWN_KEY, path_of, problem_of, target_of
from gpufleet.spec.problem import Problem, Severity, SpecError, quoted
from gpufleet.spec.stack_file import LARGEST_FILE, file_text
from gpufleet.spec.yaml_syntax import compose
from gpufleet.spec.yaml_values import Values
from policies.rule import AnyRule
from policies.waivers import Waiver, Waivers

NAME: Final = "stacks/waivers.yaml"
"""The file, below the checkout."""
LONGEST: Final = 90
"""Days from today within which a waiver must end."""

_PATTERN_SIGNS: Final = "*?"
_URN: Final = "urn:pulumi:"


class WaiversError(SpecError):
    """The waivers are malformed: all that is wrong, and none of them holds."""

    exit_code = ExitCode.WAIVER


def _on_one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_on_one_line), Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


class Entry(Spec):
    """One waiver, as the file says it."""

    rule: str
    """Id of the rule, such as `COST002`."""
    environment: str
    """Name of the environment, such as `prod`."""
    resource: str
    """The one thing that may pass: its label as a report gives it, such as `training/lab/pools/h100`, or its URN."""
    reason: _Text
    """Why it may."""
    owner: _Text
    """Who sees to it that it ends."""
    ticket: _Text
    """Where the work is tracked."""
    approved_by: _Text
    """Who has agreed."""
    expires: Annotated[dt.date, BeforeValidator(plain_date)]
    """The last day, in UTC, on which it holds: at most 90 days from today."""
    bound: float | None = None
    """What the rule's measure may come to, for a rule that has one: more is not waived."""


_FILE: Final = list[Entry]
"""What the whole file is, for messages."""


def load(
    path: Path, *, today: dt.date, rules: Iterable[AnyRule], environments: Iterable[str] = (), name: str = NAME
) -> Waivers:
    """The waivers of a checkout; none when there is no file.

    Args:
        path: `stacks/waivers.yaml`.
        today: the day, in UTC, that they are held against.
        rules: all rules there are.
        environments: known ones, beside those whose stack file stands beside the waivers.
        name: what messages call the file.

    Raises:
        WaiversError: anything in the file is wrong, whichever environment it is about.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Waivers(today=today)
    except (OSError, ValueError):
        pass  # `file_text` says it
    beside = {one.name.removeprefix("Pulumi.").removesuffix(".yaml") for one in path.parent.glob("Pulumi.*.yaml")}
    try:
        text = file_text(path, name, "file of waivers")
    except SpecError as error:
        raise WaiversError(error.problems) from None
    return parse(text, today=today, rules=rules, environments={*environments, *beside}, name=name)


def parse(
    text: str, *, today: dt.date, rules: Iterable[AnyRule], environments: Iterable[str] | None, name: str = NAME
) -> Waivers:
    """The same of the file's text, of any environment when None is known. See `load`."""
    try:
        content = _content(text, name)
    except SpecError as error:
        raise WaiversError(error.problems) from None
    problems, entries = list(content.problems), dict[int, Entry]()
    for index, item in enumerate(content.items):
        try:
            entries[index] = Entry.model_validate(item)
        except ValidationError as error:
            details = [ErrorDetails({**one, "loc": (index, *one["loc"])}) for one in error.errors(include_url=False)]
            meant = {target_of(one, _FILE) for one in details}
            problems += [
                problem_of(one, _FILE) for one in details if not (one["type"] == "missing" and path_of(one) in meant)
            ]
    problems += _problems(entries, {rule.id: rule for rule in rules}, environments, today)
    if problems:
        raise WaiversError(content.placed(problem) for problem in problems)
    return Waivers(
        entries=tuple(_waiver(entry, content, index) for index, entry in entries.items()),
        today=today,
        digest=hashlib.sha256(text.encode()).hexdigest() if text else "",
    )


class _Content:
    """What the file says, right or wrong, and where."""

    def __init__(self, name: str, items: list[object], values: Values) -> None:
        self.name = name
        self.items = items
        self.problems = tuple(values.problems)
        self._positions = values.positions

    def position(self, path: KeyPath, *, of_key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of what should hold it."""
        for length in range(len(path), -1, -1):
            if (found := self._positions.get(path[:length])) is not None:
                return found[0] if of_key or length < len(path) else found[1]
        return (1, 1)

    def placed(self, problem: Problem) -> Problem:
        """With the file, and the line and column of what it is about."""
        if problem.line is not None:
            return problem
        line, column = self.position(problem.path, of_key=problem.message == UNKNOWN_KEY)
        return replace(problem, file=self.name, line=line, column=column)


def _content(text: str, name: str) -> _Content:
    if len(text) > LARGEST_FILE:
        message, fix = f"is {len(text):,} characters large", f"A file of waivers has at most {LARGEST_FILE:,}"
        raise SpecError([Problem(path=(), message=message, fix=fix, file=name)])
    root, values = compose(text, name), Values(name)
    value = [] if root is None else values.build((root, root))
    if value is None or isinstance(value, list):
        return _Content(name, value or [], values)
    content = _Content(name, [], values)
    message, fix = "must be a list of waivers", "Start each with `- rule: …`"
    raise SpecError([content.placed(Problem(path=(), message=message, fix=fix))])


def _problems(
    entries: dict[int, Entry], rules: dict[str, AnyRule], environments: Iterable[str] | None, today: dt.date
) -> Iterator[Problem]:
    """What is wrong with well-formed entries, each by itself and all together."""
    first: dict[tuple[str, str, str], int] = {}
    known = None if environments is None else sorted(set(environments))
    for index, entry in entries.items():
        yield from _of_rule(entry, index, rules)
        if known is not None and entry.environment not in known:
            near = nearest_name(entry.environment, known)
            fix = f"Did you mean {near}?" if near else f"There are {', '.join(known) or 'none'}"
            yield _problem(index, "environment", f"there is no environment {quoted(entry.environment)}", fix)
        yield from _of_resource(entry, index)
        if (entry.expires - today).days > LONGEST:
            last = today + dt.timedelta(days=LONGEST)
            yield _problem(
                index,
                "expires",
                f"{entry.expires} is {(entry.expires - today).days} days from today, {today} in UTC; a waiver ends "
                f"within {LONGEST}",
                f"Write {last} or an earlier day, and have it approved anew then",
            )
        if (other := first.setdefault((entry.rule, entry.environment, entry.resource), index)) != index:
            yield _problem(index, "", f"waives the same as waiver {other + 1} of the file", "Keep one of them")


def _of_rule(entry: Entry, index: int, rules: dict[str, AnyRule]) -> Iterator[Problem]:
    rule = rules.get(entry.rule)
    if rule is None:
        near = nearest_name(entry.rule, rules)
        fix = f"Did you mean {near}?" if near else "`gpufleet explain rules` lists them"
        yield _problem(index, "rule", f"there is no rule {quoted(entry.rule)}", fix)
    elif not rule.waivable:
        yield _problem(index, "rule", f"{rule.id} can't be waived: {rule.title()}", rule.fix)
    elif rule.measure and entry.bound is None:
        yield _problem(
            index,
            "bound",
            f"is missing: {rule.id} has a measure, {rule.measure}, and a waiver covers up to a bound in it",
            f"Add `bound:` with the {rule.measure} that may pass",
        )
    elif not rule.measure and entry.bound is not None:
        yield _problem(index, "bound", f"is of no use: {rule.id} has no measure", "Leave it out")


def _of_resource(entry: Entry, index: int) -> Iterator[Problem]:
    if any(sign in entry.resource for sign in _PATTERN_SIGNS):
        fix = "Name one thing; every other needs a waiver of its own"
        yield _problem(index, "resource", f"{quoted(entry.resource)} is a pattern, which no waiver takes", fix)
    elif not entry.resource.strip() or entry.resource != entry.resource.strip():
        yield _problem(index, "resource", f"{quoted(entry.resource)} is no label", "Write it as a report gives it")
    elif entry.resource.startswith(_URN):
        stack = entry.resource.removeprefix(_URN).partition("::")[0]
        if stack != entry.environment:
            message = f"is a URN of stack {quoted(stack)}, and the waiver is for {quoted(entry.environment)}"
            yield _problem(index, "resource", message, "Make the two agree")


def _problem(index: int, key: str, message: str, fix: str) -> Problem:
    return Problem(path=(index, key) if key else (index,), message=message, fix=fix, severity=Severity.ERROR)


def _waiver(entry: Entry, content: _Content, index: int) -> Waiver:
    line, column = content.position((index,))
    return Waiver(
        rule=entry.rule,
        environment=entry.environment,
        resource=entry.resource,
        reason=entry.reason,
        owner=entry.owner,
        ticket=entry.ticket,
        approved_by=entry.approved_by,
        expires=entry.expires,
        bound=None if entry.bound is None else _exact(entry.bound),
        file=content.name,
        line=line,
        column=column,
    )


def _exact(number: float) -> Decimal:
    """As it was written: 6, not 6.0, and 0.1, not the nearest binary fraction."""
    return Decimal(int(number)) if number.is_integer() else Decimal(str(number))

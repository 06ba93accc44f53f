"""The one way for rules to read properties: a value that nobody knows, or of the wrong type, is never taken for one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gpufleet.graph import SECRET
from gpufleet.graph.model import Hidden, Value
from gpufleet.spec.problem import key_text

_T = TypeVar("_T")


class UndecidedError(Exception):
    """A rule needs a value that nobody knows: the subject's verdict is *undecided*, unless it fails anyway."""


class MistypedError(Exception):
    """A value is of a type that the resource's API doesn't take: the subject fails."""


@dataclass(frozen=True)
class Properties:
    """A mapping of properties at some depth of a resource, read by type.

    Every accessor takes a path of keys and list indices below this mapping and returns None when a part of it is
    missing.

    Attributes:
        values: by the provider's own names.
        where: the path of this mapping inside the resource, for messages.
        fault: why nothing of it can be read, whatever is asked for.
    """

    values: Mapping[str, Value]
    where: tuple[str | int, ...] = ()
    fault: UndecidedError | MistypedError | None = None

    @classmethod
    def of(cls, value: Value, where: tuple[str | int, ...]) -> Properties:
        """The mapping that stands somewhere, or what makes every reading of it fail."""
        if isinstance(value, dict):
            return cls(value, where)
        name = key_text(where)
        if isinstance(value, Hidden):
            return cls({}, where, UndecidedError(_unseen(name, value)))
        return cls({}, where, MistypedError(f"{name} is {_shown(value)}, not a mapping"))

    def value(self, *path: str | int) -> Value:
        """Whatever stands at the path.

        Raises:
            UndecidedError: it, or a value on the way, is unknown or secret.
            MistypedError: a value on the way is neither a mapping nor a list.
        """
        if self.fault is not None:
            raise self.fault
        value: Value = dict(self.values)
        for depth, part in enumerate(path, start=1):
            if value is None:
                return None
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part] if -len(value) <= part < len(value) else None
            else:
                raise MistypedError(f"{self._name(path[: depth - 1])} is {_shown(value)} and has no {part}")
            if isinstance(value, Hidden):
                raise UndecidedError(_unseen(self._name(path[:depth]), value))
        return value

    def text(self, *path: str | int) -> str | None:
        """The text at the path. Raises as `value` does; MistypedError when it is no text."""
        return self._typed(str, "text", path)

    def flag(self, *path: str | int) -> bool | None:
        """The boolean at the path. Raises as `value` does; MistypedError when it is no boolean."""
        return self._typed(bool, "true or false", path)

    def integer(self, *path: str | int) -> int | None:
        """The whole number at the path; 6.0 is one (the engine has floats alone), "6" is none. Raises as `value`."""
        number = self.number(*path)
        if number is not None and number != int(number):
            raise MistypedError(f"{self._name(path)} is {number}, not a whole number")
        return None if number is None else int(number)

    def number(self, *path: str | int) -> float | None:
        """The number at the path. Raises as `value` does; MistypedError when it is none."""
        value = self.value(*path)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MistypedError(f"{self._name(path)} is {_shown(value)}, not a number")
        if not math.isfinite(value):
            raise MistypedError(f"{self._name(path)} is {value}, not a number that anything can be")
        return value

    def items(self, *path: str | int) -> tuple[Value, ...]:
        """The list at the path, () when there is none. Its items may be unknown: read them with `value` or `each`."""
        return tuple(self._typed(list, "a list", path) or ())

    def each(self, *path: str | int) -> tuple[Properties, ...]:
        """The mappings in the list at the path. Raises as `value`, also when an item is unknown or no mapping."""
        return tuple(self.below(*path, index) for index in range(len(self.items(*path))))

    def texts(self, *path: str | int) -> tuple[str, ...]:
        """The texts in the list at the path. Raises as `value`, also when an item is unknown or no text."""
        return tuple(self.text(*path, index) or "" for index in range(len(self.items(*path))))

    def below(self, *path: str | int) -> Properties:
        """The mapping at the path, empty when there is none. Raises as `value` does."""
        return Properties(self._typed(dict, "a mapping", path) or {}, (*self.where, *path))

    def has(self, *path: str | int) -> bool:
        """Whether there is anything at the path, known or not. Raises as `value` for what is on the way."""
        *above, last = path
        return self.below(*above).values.get(str(last)) is not None if isinstance(last, str) else False

    def _typed(self, kind: type[_T], name: str, path: tuple[str | int, ...]) -> _T | None:
        value = self.value(*path)
        if value is None:
            return None
        if not isinstance(value, kind):
            raise MistypedError(f"{self._name(path)} is {_shown(value)}, not {name}")
        return value

    def _name(self, path: tuple[str | int, ...]) -> str:
        return key_text((*self.where, *path)) or "the resource"


def _unseen(name: str, value: Hidden) -> str:
    return f"{name} is {'secret' if value is SECRET else 'known only once Azure has made it'}"


def _shown(value: Value) -> str:
    match value:
        case str():
            return f"the text {value[:40]!r}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value).lower() if isinstance(value, bool) else str(value)


def may(subjects: Iterable[_T], question: Callable[[_T], bool]) -> tuple[_T, ...]:
    """The subjects of which a question is true, and those of which nobody can tell: they must be judged too."""
    return tuple(subject for subject in subjects if _answer(subject, question) is not False)


def surely(subjects: Iterable[_T], question: Callable[[_T], bool]) -> tuple[_T, ...]:
    """The subjects of which a question is true for certain: one that nobody can read must not hide them."""
    return tuple(subject for subject in subjects if _answer(subject, question) is True)


def _answer(subject: _T, question: Callable[[_T], bool]) -> bool | None:
    try:
        return question(subject)
    except (UndecidedError, MistypedError):
        return None


@dataclass(frozen=True)
class Total:
    """A sum over subjects, not all of which can be read. What is known may be too much already.

    Attributes:
        known: the sum over those that can be read.
        unread: why the others can't.
    """

    known: int
    unread: tuple[UndecidedError | MistypedError, ...]

    def settle(self) -> None:
        """Raises one of `unread`, once what is known has been judged."""
        _raise_worst(self.unread)


def all_of(*checks: Iterator[_T]) -> Iterator[_T]:
    """What each of several checks yields: one that can't be decided hides no other. Raises what the worst raised."""
    unread = []
    for check in checks:
        try:
            yield from check
        except (UndecidedError, MistypedError) as error:
            unread.append(error)
    _raise_worst(unread)


def _raise_worst(errors: Iterable[UndecidedError | MistypedError]) -> None:
    """A value of the wrong type fails, whatever else can't be decided."""
    for error in sorted(errors, key=lambda one: isinstance(one, UndecidedError)):
        raise error


def total(subjects: Iterable[_T], count: Callable[[_T], int]) -> Total:
    """The sum of a number that each subject has."""
    known, unread = 0, []
    for subject in subjects:
        try:
            known += count(subject)
        except (UndecidedError, MistypedError) as error:
            unread.append(error)
    return Total(known, tuple(unread))

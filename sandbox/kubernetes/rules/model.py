"""What a rule is, and the checks that most rules are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from sandbox.kubernetes import quantity
from sandbox.kubernetes.fields import FieldError, child, duplicate, forbidden, invalid, present, required, unsupported
from sandbox.values import UNKNOWN, Value, has_unknown

Check: TypeAlias = Callable[[str, Value], Iterable[FieldError]]
"""Takes the path and the (known) value of a field, gives what is wrong with it."""

# Where the pod spec of each kind stands that has one.
POD_SPECS: Mapping[str, str] = {
    "/Pod": "spec",
    "/ReplicationController": "spec.template.spec",
    "apps/DaemonSet": "spec.template.spec",
    "apps/Deployment": "spec.template.spec",
    "apps/ReplicaSet": "spec.template.spec",
    "apps/StatefulSet": "spec.template.spec",
    "batch/CronJob": "spec.jobTemplate.spec.template.spec",
    "batch/Job": "spec.template.spec",
}
PODS = tuple(POD_SPECS)
"""Kinds with a pod spec."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that the API server checks and the types do not say.

    Attributes:
        id: its name in tests.
        kinds: ``group/Kind``.
        at: paths (``spec.ports[].port``; empty for the object or pod spec itself).
        check: what to check there.
        source: the function of k8s.io/kubernetes that checks it, or the documentation.
        pod: the paths are below the kind's pod spec.
    """

    id: str
    kinds: tuple[str, ...]
    at: tuple[str, ...]
    check: Check
    source: str
    pod: bool = False


CODED: dict[str, Check] = {}
"""Checks that are functions, by the name that the table has for them."""


def coded(check: Check) -> Check:
    """Make a function a check of the table, under its own name without the underscore."""
    CODED[check.__name__.removeprefix("_")] = check
    return check


def is_number(value: Value) -> TypeGuard[int | float]:
    """Whether a value is a whole number (a bool is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def between(low: int, high: int) -> Check:
    """A number from low to high."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        if is_number(value) and not low <= value <= high:
            yield invalid(path, value, f"must be between {low} and {high}, inclusive")

    return check


def at_least(low: int) -> Check:
    """A number not below low."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        if is_number(value) and value < low:
            yield invalid(path, value, f"must be greater than or equal to {low}")

    return check


def one_of(*allowed: str) -> Check:
    """A string of an enumeration."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        if isinstance(value, str) and value not in allowed:
            yield unsupported(path, value, allowed)

    return check


def named(wrong: Callable[[str], str | None], *, empty: bool = False) -> Check:
    """A string that fits a rule of :mod:`sandbox.kubernetes.names`, or may be empty."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        found = wrong(value) if isinstance(value, str) and (value or not empty) else None
        if found:
            yield invalid(path, value, found)

    return check


def keys(wrong: Callable[[str], str | None]) -> Check:
    """A map whose keys fit a rule of names."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        for key in value if isinstance(value, Mapping) else ():
            found = wrong(key)
            if found:
                yield invalid(f"{path}[{key}]", key, found)

    return check


def needs(*fields: str) -> Check:
    """An object with these fields."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        for field in fields:
            if isinstance(value, Mapping) and not present(value, field):
                yield required(child(path, field))

    return check


def unique(*fields: str) -> Check:
    """A list in which no two items have the same values of these fields."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        seen: list[tuple[Value, ...]] = []
        for index, item in enumerate(value if isinstance(value, list) else ()):
            key = tuple(item.get(name) for name in fields) if isinstance(item, Mapping) else ()
            if all(part is None for part in key) or has_unknown(list(key)):
                continue
            if key in seen:
                shown = key[0] if len(key) == 1 else dict(zip(fields, key, strict=True))
                yield duplicate(f"{path}[{index}]" + (f".{fields[0]}" if len(key) == 1 else ""), shown)
            seen.append(key)

    return check


def exactly_one(what: str, *fields: str) -> Check:
    """An object with one of these fields and no two; ``what`` they are (``volume type``)."""
    several = at_most_one(what, *fields)

    def check(path: str, value: Value) -> Iterator[FieldError]:
        if isinstance(value, Mapping) and all(value.get(field) is None for field in fields):
            yield required(path, f"must specify a {what}")
        yield from several(path, value)

    return check


def at_most_one(what: str, *fields: str) -> Check:
    """An object without two of these fields."""

    def check(path: str, value: Value) -> Iterator[FieldError]:
        # What is not known yet may turn out to be nothing.
        found = [field for field in fields if isinstance(value, Mapping) and value.get(field) not in (None, UNKNOWN)]
        for field in found[1:]:
            yield forbidden(f"{path}.{field}", f"may not specify more than 1 {what}")

    return check


def quantities(path: str, value: Value) -> Iterator[FieldError]:
    """A map of quantities, none below zero."""
    for name, amount in value.items() if isinstance(value, Mapping) else ():
        yield from quantity_value(f"{path}[{name}]" if not name.isalpha() else f"{path}.{name}", amount)


def quantity_value(path: str, value: Value) -> Iterator[FieldError]:
    """A quantity, not below zero."""
    if value is UNKNOWN or value is None:
        return
    amount = quantity.parse(value)
    if amount is None:
        yield invalid(path, value, quantity.SYNTAX)
    elif amount < 0:
        yield invalid(path, value, "must be greater than or equal to 0")


def percent_or_count(path: str, value: Value) -> Iterator[FieldError]:
    """A count not below zero, or a percentage up to 100% (apps validation: ValidatePositiveIntOrPercent)."""
    if is_number(value):
        if value < 0:
            yield invalid(path, value, "must be greater than or equal to 0")
    elif isinstance(value, str):
        if not re.fullmatch(r"\d+%", value):
            yield invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%'")
        elif int(value[:-1]) > 100:
            yield invalid(path, value, "must not be greater than 100%")


def is_zero(value: Value) -> bool:
    """Whether a count or percentage is zero."""
    return value in {0, "0%"} if isinstance(value, int | float | str) and not isinstance(value, bool) else False

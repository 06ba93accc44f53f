"""Property values as they travel between a program and a cloud: JSON, plus "not known yet" and "secret"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

# JSON of an open schema: sandbox.contract is its type, checked at run time against the SDK's own classes.
Value: TypeAlias = Any
Properties: TypeAlias = dict[str, Value]


class Unknown:
    """A value that a preview cannot know yet. There is one instance: :data:`UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must never be shown. ``value`` holds no further secrets."""

    value: Value

    def __repr__(self) -> str:
        return "Secret(…)"


def reveal(value: Value) -> Value:
    """The value without its secret marks, at every depth (the same object when there are none)."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, Mapping):
        plain = {key: reveal(item) for key, item in value.items()}
        return plain if any(plain[key] is not value[key] for key in plain) else value
    if isinstance(value, list):
        items = [reveal(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def has_unknown(value: Value) -> bool:
    """Whether any part of the value is unknown."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return False


def mask(value: Value) -> Value:
    """The value with every secret replaced by ``[secret]``, for people's eyes."""
    if isinstance(value, Secret):
        return "[secret]"
    if isinstance(value, Mapping):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return value


def lookup(value: Value, path: str) -> list[Value]:
    """Every value at a path such as ``ipConfigurations[].subnet.id``; ``[]`` stands for each item of a list."""
    found = [reveal(value)]
    for step in path.split("."):
        name, each = (step[:-2], True) if step.endswith("[]") else (step, False)
        found = [item[name] for item in found if isinstance(item, Mapping) and name in item]
        if each:
            found = [item for items in found if isinstance(items, list) for item in items]
    return found

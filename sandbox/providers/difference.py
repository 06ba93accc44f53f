"""Differences between old and new inputs, by property path, with what must be replaced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sandbox.contract.check import property_path
from sandbox.values import UNKNOWN, Properties, Secret, Value

Kind: TypeAlias = Literal["add", "delete", "update"]


@dataclass(frozen=True, slots=True)
class Change:
    """One changed property."""

    kind: Kind
    replace: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What changed, by path; whether a replacement deletes first."""

    changes: dict[str, Change] = field(default_factory=dict)
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        """The paths that force a replacement."""
        return sorted(path for path, change in self.changes.items() if change.replace)


def compare(old: Properties, new: Properties, replace_on: Iterable[str] = ()) -> dict[str, Change]:
    """The changes from ``old`` to ``new`` inputs.

    ``replace_on`` are paths (``a.b``, ``a[].b``) whose change, or a change inside them, forces a replacement. An
    unknown new value counts as changed, as in the official providers: a preview must not promise what it cannot know.
    """
    changes: dict[str, Change] = {}
    _Comparer(frozenset(replace_on), changes).objects(old, new, "", "", inherited=False)
    return changes


class _Comparer:
    def __init__(self, replace_on: frozenset[str], changes: dict[str, Change]) -> None:
        self._replace_on = replace_on
        self._changes = changes

    def objects(self, old: Properties, new: Properties, path: str, pattern: str, *, inherited: bool) -> None:
        """Compare two objects property by property. ``pattern`` is the path with ``[]`` for indices."""
        for key in old.keys() | new.keys():
            if key.startswith("__"):
                continue
            below = f"{pattern}.{key}" if pattern else key
            replace = inherited or below in self._replace_on
            where = property_path(path, key)
            if key not in new:
                self._changes[where] = Change("delete", replace)
            elif key not in old:
                self._changes[where] = Change("add", replace)
            else:
                self._values(old[key], new[key], where, below, replace=replace)

    def _values(self, old: Value, new: Value, path: str, pattern: str, *, replace: bool) -> None:
        old, new = (item.value if isinstance(item, Secret) else item for item in (old, new))
        if isinstance(old, dict) and isinstance(new, dict):
            self.objects(old, new, path, pattern, inherited=replace)
        elif isinstance(old, list) and isinstance(new, list):
            self._lists(old, new, path, pattern + "[]", replace=replace)
        elif new is UNKNOWN or isinstance(old, bool) != isinstance(new, bool) or old != new:
            self._changes[path] = Change("update", replace)

    def _lists(self, old: list[Value], new: list[Value], path: str, pattern: str, *, replace: bool) -> None:
        for index in range(max(len(old), len(new))):
            where = f"{path}[{index}]"
            if index >= len(new):
                self._changes[where] = Change("delete", replace)
            elif index >= len(old):
                self._changes[where] = Change("add", replace)
            else:
                self._values(old[index], new[index], where, pattern, replace=replace)


def carry_over(base: Properties, old: Properties, new: Properties) -> Properties:
    """``base`` (inputs) with what changed from ``old`` to ``new``: outputs before and after a refresh.

    Properties that the service filled in by itself are the same in both, so they do not creep into the inputs
    (pulumi-azure-native provider.go, Read: inputs are an approximation from old inputs, old outputs and new outputs).
    """
    result: Properties = {}
    for key, value in base.items():
        if key not in old:
            result[key] = value
        elif key in new:
            result[key] = _carry_value(value, old[key], new[key])
    for key, value in new.items():
        if key not in base and (key not in old or old[key] != value):
            result[key] = value
    return result


def _carry_value(base: Value, old: Value, new: Value) -> Value:
    if old == new:
        return base
    if isinstance(base, dict) and isinstance(old, dict) and isinstance(new, dict):
        return carry_over(base, old, new)
    if isinstance(base, list) and isinstance(old, list) and isinstance(new, list):
        both = min(len(base), len(old))
        return [_carry_value(base[index], old[index], item) if index < both else item for index, item in enumerate(new)]
    return new

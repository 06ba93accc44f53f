"""Field errors in the API server's words, and how a rule finds the fields it speaks of.

Source of the words: k8s.io/apimachinery pkg/util/validation/field (Invalid, Required, NotSupported, Duplicate, …).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.values import UNKNOWN, Properties, Secret, Value

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that the API server refuses: its path (``spec.ports[0].port``), why, and the rule that says so."""

    path: str
    text: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class _SecretText(str):
    """A string that no error may show."""

    __slots__ = ()


class _SecretNumber(float):
    """A number that no error may show."""

    __slots__ = ()


def concealed(value: Value, *, secret: bool = False) -> Value:
    """The value for rules to look at: secrets are plain, but :func:`show` does not show them."""
    if isinstance(value, Secret):
        return concealed(value.value, secret=True)
    if isinstance(value, Mapping):
        return {key: concealed(item, secret=secret) for key, item in value.items()}
    if isinstance(value, list):
        return [concealed(item, secret=secret) for item in value]
    if isinstance(value, str):
        return _SecretText(value) if secret else value
    if isinstance(value, float) or (secret and isinstance(value, int) and not isinstance(value, bool)):
        # Pulumi sends every number as a double; the API server reads 3.0 as 3.
        return _SecretNumber(value) if secret else int(value) if float(value).is_integer() else value
    return value


def show(value: Value) -> str:
    """A value as an error shows it: JSON, shortened; a secret as ``[secret]``."""
    if _hides(value):
        return '"[secret]"'
    text = json.dumps(value, default=lambda _: "", ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= 200 else text[:197] + "..."


def _hides(value: Value) -> bool:
    if isinstance(value, Mapping):
        return any(_hides(item) for item in value.values())
    if isinstance(value, list):
        return any(_hides(item) for item in value)
    return isinstance(value, _SecretText | _SecretNumber)


def invalid(path: str, value: Value, detail: str) -> FieldError:
    """A value that does not fit."""
    return FieldError(path, f"Invalid value: {show(value)}: {detail}")


def required(path: str, detail: str = "") -> FieldError:
    """A value that is missing."""
    return FieldError(path, "Required value" + (f": {detail}" if detail else ""))


def forbidden(path: str, detail: str) -> FieldError:
    """A value that must not be there."""
    return FieldError(path, f"Forbidden: {detail}")


def unsupported(path: str, value: Value, allowed: Iterable[str]) -> FieldError:
    """A value outside its enumeration."""
    listed = ", ".join(json.dumps(item) for item in allowed)
    return FieldError(path, f"Unsupported value: {show(value)}: supported values: {listed}")


def duplicate(path: str, value: Value) -> FieldError:
    """A value that is there already."""
    return FieldError(path, f"Duplicate value: {show(value)}")


def not_found(path: str, value: Value) -> FieldError:
    """A value that refers to nothing."""
    return FieldError(path, f"Not found: {show(value)}")


def child(path: str, key: str) -> str:
    """``path`` with a key below it (``a.b``, ``a[b.c/d]``)."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def each(value: Value, pattern: str, path: str = "") -> Iterator[tuple[str, Value]]:
    """Every known value at ``a.b[].c`` (items of a list) or ``a.*`` (values of a map), with its path."""
    if value is None or value is UNKNOWN:
        return
    if not pattern:
        yield path, value
        return
    step, _, rest = pattern.partition(".")
    name = step.removesuffix("[]")
    if not isinstance(value, Mapping):
        return
    if name == "*":
        for key, item in value.items():
            yield from each(item, rest, child(path, key))
    elif step.endswith("[]"):
        for index, item in enumerate(listed(value, name)):
            yield from each(item, rest, f"{child(path, name)}[{index}]")
    elif name in value:
        yield from each(value[name], rest, child(path, name))


def listed(value: Value, name: str) -> list[Value]:
    """The list under a name, empty when it is absent, unknown or no list."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def mapped(value: Value, name: str) -> Properties:
    """The map under a name, empty when it is absent, unknown or no map."""
    return as_map(as_map(value).get(name))


def as_map(value: Value) -> Properties:
    """The value when it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def present(value: Value, name: str) -> bool:
    """Whether a name is set; an unknown value is, an empty string, list or map is not (Go's omitempty)."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found is UNKNOWN or found not in (None, "", [], {})

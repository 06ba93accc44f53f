"""Checks of inputs that many resource types share, as small builders. Unknown values pass."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from sandbox.azure.model import Check, normalise_location
from sandbox.contract.check import property_path
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, Value, reveal

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
SCOPE = rf"/?(subscriptions/{GUID}|providers)(/.*)?"
DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def values(inputs: Properties, path: str) -> Iterator[tuple[str, Value]]:
    """Every known, given value at a path such as ``rules[].port`` or ``notifications{}.threshold``, with its own path.

    ``[]`` stands for each item of a list, ``{}`` for each value of a map.
    """
    found: list[tuple[str, Value]] = [("", inputs)]
    for step in path.split("."):
        found = [item for where, value in found for item in _step(where, value, step)]
    for where, value in found:
        if value is not None and value is not UNKNOWN:
            yield where, value


def _step(where: str, value: Value, step: str) -> Iterator[tuple[str, Value]]:
    name = step.removesuffix("[]").removesuffix("{}")
    if not isinstance(value, dict) or name not in value:
        return
    here, inner = property_path(where, name), reveal(value[name])
    if step.endswith("[]"):
        if isinstance(inner, list):
            yield from ((f"{here}[{index}]", reveal(item)) for index, item in enumerate(inner))
    elif step.endswith("{}"):
        if isinstance(inner, dict):
            yield from ((property_path(here, key), reveal(item)) for key, item in inner.items())
    else:
        yield here, inner


def get(inputs: Properties, path: str) -> Value:
    """The one value at a path without ``[]``: ``UNKNOWN`` when it is not known yet, None when it is not given."""
    value: Value = inputs
    for step in path.split("."):
        value = reveal(value)
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(step) if isinstance(value, dict) else None
    return reveal(value)


def in_range(path: str, low: float, high: float, source: str) -> Check:
    """A number lies in a closed range."""

    def check(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, path):
            if not isinstance(value, bool) and isinstance(value, int | float) and not low <= value <= high:
                yield Failure(where, f"'{where}' must be between {low:g} and {high:g} ({source}), but is {value:g}")

    return check


def matches(path: str, pattern: str, text: str, source: str) -> Check:
    """A string has a form; ``text`` says which."""

    def check(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, path):
            if isinstance(value, str) and not re.fullmatch(pattern, value):
                yield Failure(where, f"'{where}' must be {text} ({source}), but is '{value}'")

    return check


def at_most(path: str, longest: int, source: str) -> Check:
    """A list or map has at most so many entries."""

    def check(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, path):
            if isinstance(value, list | dict) and len(value) > longest:
                yield Failure(where, f"'{where}' has {len(value)} entries; at most {longest} are allowed ({source})")

    return check


def at_least(path: str, fewest: int, source: str) -> Check:
    """A list that is given has at least so many entries."""

    def check(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, path):
            if isinstance(value, list) and len(value) < fewest:
                yield Failure(where, f"'{where}' needs at least {fewest} entries ({source}), but has {len(value)}")

    return check


def unique(path: str, source: str) -> Check:
    """Values at a path with ``[]`` differ from each other, without regard to case."""

    def check(inputs: Properties) -> Iterable[Failure]:
        seen: dict[str, str] = {}
        for where, value in values(inputs, path):
            key = str(value).lower()
            if key in seen:
                yield Failure(where, f"'{where}' repeats '{value}' of '{seen[key]}': it must be unique ({source})")
            seen.setdefault(key, where)

    return check


def only_location(*allowed: str) -> Check:
    """The location is one of a few: for types that exist in one place only (``global``)."""

    def check(inputs: Properties) -> Iterable[Failure]:
        location = reveal(inputs.get("location"))
        if isinstance(location, str) and normalise_location(location) not in allowed:
            wanted = " or ".join(f"'{item}'" for item in allowed)
            yield Failure("location", f"'location' must be {wanted} for this resource type, but is '{location}'")

    return check


def cidr(path: str, source: str) -> Check:
    """A string is a network in CIDR form with no host bits."""

    def check(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, path):
            if not isinstance(value, str):
                continue
            try:
                ipaddress.ip_network(value)
            except ValueError as error:
                yield Failure(where, f"'{value}' is not a network in CIDR form ({source}): {error}")
            else:
                if "/" not in value:
                    yield Failure(where, f"'{value}' is not a network in CIDR form ({source}): it has no prefix length")

    return check


def below(prefix: str, check: Check) -> Check:
    """A check of an object, applied to each object at a path of the inputs (``agentPoolProfiles[]``)."""

    def checked(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, prefix):
            if isinstance(value, dict):
                yield from (Failure(f"{where}.{failure.path}", failure.reason) for failure in check(value))

    return checked


def needs(path: str, condition: Callable[[Properties], bool], text: str, source: str) -> Check:
    """A property may only be given (and not false) when a condition holds; the condition must pass unknowns."""

    def check(inputs: Properties) -> Iterable[Failure]:
        for where, value in values(inputs, path):
            if value not in (False, "", [], {}) and not condition(inputs):
                yield Failure(where, f"'{where}' {text} ({source})")

    return check


def networks(*texts: Value) -> list[Network]:
    """The networks among some values; what is unknown or malformed is left out (other checks name it)."""
    found: list[Network] = []
    for text in texts:
        if isinstance(text, str):
            try:
                found.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                continue
    return found


# Azure docs, tag-resources: "Limitations".
_TAG_KEY = r"[^<>%&\\?/]{1,512}"
_MAX_TAGS = 50
_MAX_TAG_VALUE = 256


def tags(inputs: Properties) -> Iterable[Failure]:
    """Tags as every Azure resource takes them: at most 50, keys of 1 to 512 characters, values of at most 256."""
    given = reveal(inputs.get("tags"))
    if not isinstance(given, dict):
        return
    if len(given) > _MAX_TAGS:
        yield Failure("tags", f"a resource has at most {_MAX_TAGS} tags, here are {len(given)}")
    for key, value in given.items():
        where = property_path("tags", key)
        if not re.fullmatch(_TAG_KEY, key):
            yield Failure(where, f"the tag name '{key}' must be 1 to 512 characters, none of < > % & \\ ? /")
        if isinstance(value, str) and len(value) > _MAX_TAG_VALUE:
            yield Failure(where, f"the value of tag '{key}' has {len(value)} characters; at most {_MAX_TAG_VALUE}")


COMMON: tuple[Check, ...] = (tags,)
"""What holds for every type."""

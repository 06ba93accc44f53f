"""pydantic's verdicts in words for the author of a stack file: what is wrong and what to write instead."""

from __future__ import annotations

import datetime as dt
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.fields import MEANINGS, enum_members, known_keys, meaning
from gpufleet.spec.problem import Problem, quoted

UNKNOWN_KEY: Final = "is not a known key"

# Turning an integer to text takes quadratic time, and Python refuses beyond 4,300 digits.
_MOST_BITS: Final = 256

_UNION_TAGS: Final = ("range", "number")
_CONTAINER_TAGS: Final = ("container block", "container name")

# pydantic's error types that models can give, and their words; {shown} is the value.
_MESSAGES: Final = {
    "string_type": "must be text, not {shown}",
    "int_type": "must be a whole number, not {shown}",
    "int_from_float": "must be a whole number, not {shown}",
    "int_parsing_size": "must be a whole number, not {shown}",
    "float_type": "must be a number, not {shown}",
    "finite_number": "must be a finite number, not {shown}",
    "bool_type": "must be true or false, not {shown}",
    "list_type": "must be a list, not {shown}",
    "dict_type": "must be a block of keys, not {shown}",
    "model_type": "must be a block of keys, not {shown}",
    "model_attributes_type": "must be a block of keys, not {shown}",
    "date_type": "must be a date such as 2026-12-01, not {shown}",
    "greater_than": "must be more than {gt}, not {shown}",
    "greater_than_equal": "must be at least {ge}, not {shown}",
    "less_than": "must be less than {lt}, not {shown}",
    "less_than_equal": "must be at most {le}, not {shown}",
    "string_unicode": "must be valid Unicode text, not {shown}",
    "string_too_short": "must have at least {min_length} characters, not {shown}",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have {min_length} or more items",
    "too_long": "must have at most {max_length} items, not {actual_length}",
    "value_error": "{shown} {error}",
}


def faults(error: ValidationError) -> list[ErrorDetails]:
    """What pydantic found, without the defaults that it could not make because of something else it found."""
    return [one for one in error.errors(include_url=False) if one["type"] != "default_factory_not_called"]


def path_of(error: ErrorDetails) -> Path:
    """The path of an error in the keys of the file, without pydantic's own additions."""
    path: list[str | int] = []
    for part in error["loc"]:
        if part == "[key]" or (part in _UNION_TAGS and path[-1:] == ["nodes"]) or part in _CONTAINER_TAGS:
            continue
        path.append(part)
    return tuple(path)


def problem_of(error: ErrorDetails, root: object = Environment) -> Problem:
    """The problem that pydantic found, in words; `root` is the annotation of the whole file."""
    path, value = path_of(error), error["input"]
    match error["type"]:
        case "missing":
            words = meaning(path, root)
            message, fix = "is missing", f"Add it: {words}" if words else "Add it"
        case "extra_forbidden":
            message, fix = UNKNOWN_KEY, _fix_of_unknown(path, root)
        case _ if value is None:
            message, fix = "is empty", "Give it a value, or leave the key out if it has a default"
        case _ if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            message, fix = "is far too large a number", "Check its digits"
        case "enum":
            message, fix = _not_a_choice(path, value, root)
        case "int_type" | "int_from_float" | "model_type" if path[-1:] == ("nodes",):
            message = f"must be a number of nodes or a range, not {shown(value)}"
            fix = "Write `nodes: 4`, or `nodes: {min: 0, max: 4}`"
        case _:
            message, fix = _message(error), _fix(path, error, root)
    return Problem(path=path, message=message, fix=fix)


def target_of(error: ErrorDetails, root: object = Environment) -> Path | None:
    """For an unknown key, the path that was probably meant: what stands there counts as faulty too."""
    if error["type"] != "extra_forbidden":
        return None
    path = path_of(error)
    near = nearest_name(str(path[-1]), known_keys(path[:-1], root))
    return (*path[:-1], near) if near else None


def shown(value: object) -> str:
    """A value as messages show it: short, on one line, of the kind a YAML author knows."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case dict():
            return "a block of keys"
    return str(value)


def _fix_of_unknown(path: Path, root: object) -> str:
    known = known_keys(path[:-1], root)
    near = nearest_name(str(path[-1]), known)
    return f"Did you mean `{near}`?" if near else f"Known here: {', '.join(known)}"


def _not_a_choice(path: Path, value: object, root: object) -> tuple[str, str]:
    members = enum_members(path, root)
    near = nearest_name(value, members) if isinstance(value, str) else None
    return f"must be one of {', '.join(members)}, not {shown(value)}", f"Did you mean {near}?" if near else ""


def _message(error: ErrorDetails) -> str:
    context = dict(error.get("ctx", {}))
    if error["type"] == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return f"{shown(error['input'])} is not {MEANINGS.get(pattern, f'of the form {pattern}')}"
    template = _MESSAGES.get(error["type"])
    if template is None:
        return f"{shown(error['input'])} is refused: {error['msg']}"
    for bound in ("gt", "ge", "lt", "le"):
        if isinstance(limit := context.get(bound), float) and limit.is_integer():
            context[bound] = f"{int(limit):,}"
    return template.format(
        shown=shown(error["input"]), **{key: value for key, value in context.items() if key != "shown"}
    )


def _fix(path: Path, error: ErrorDetails, root: object) -> str:
    value = error["input"]
    match error["type"]:
        case "string_type" if isinstance(value, int | float | dt.date):
            return "Put it in quotes"
        case "int_type" | "float_type" if isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit():
            return "Leave the quotes out"
        case "list_type":
            return "Put the items in [ ], or each on a line of its own behind a dash"
        case "model_type" | "model_attributes_type" if known := known_keys(path, root):
            return f"Known here: {', '.join(known)}"
    return ""

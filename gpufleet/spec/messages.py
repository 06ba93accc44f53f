"""pydantic's verdicts in words for the author of a stack file: what is wrong and what to write instead."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import StrEnum

from pydantic_core import ErrorDetails

from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path, Spec
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem, quoted

MEANINGS: dict[str, str] = {
    r"^[a-z][a-z0-9]+$": "an Azure region by its programmatic name, such as eastus",
    r"^Standard_[A-Za-z0-9_]+$": "an Azure VM size by its ARM name, such as Standard_ND96isr_H100_v5",
    r"^[a-z][a-z0-9]{0,14}$": "a name of 1 to 15 lower-case letters and digits that starts with a letter",
    r"^[a-z][a-z0-9]{0,7}$": "a name of 1 to 8 lower-case letters and digits that starts with a letter; AKS allows 12, and four are kept "
    "for the InfiniBand domain and the generation",
    r"^[1-3]$": "an availability zone: 1, 2 or 3",
    r"^(\d{1,3}%|\d{1,3})$": "a number of nodes or a percentage, such as 1 or 10%",
    r"^[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$": "a Kubernetes taint key=value:effect, with effect "
    "NoSchedule, PreferNoSchedule or NoExecute",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "a mail address",
    r"^1\.\d{2}$": 'a Kubernetes minor version in quotes, such as "1.34"',
    r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$": "an Entra object id (a GUID)",
    r"^([01]\d|2[0-3]):[0-5]\d$": 'a time of day in UTC in quotes, such as "02:00"',
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case letters, digits and single hyphens between them",
    r"^[A-Za-z0-9][A-Za-z0-9._@ -]{0,127}$": "1 to 128 letters, digits, spaces and . _ @ - that start with a letter or digit",
    r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,127}$": "1 to 128 letters, digits, spaces and . _ - that start with a letter or digit",
    r"^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$": "1 to 53 lower-case letters, digits and hyphens, with a letter or digit at both ends",
    r"^/": "a path that starts with /",
}
"""What each pattern of the models asks for."""

_UNION_TAGS = ("range", "number")


def path_of(error: ErrorDetails) -> Path:
    """The path of an error in the keys of the file, without pydantic's own additions."""
    path: list[str | int] = []
    for part in error["loc"]:
        if part == "[key]" or (part in _UNION_TAGS and path[-1:] == ["nodes"]):
            continue
        path.append(part)
    return tuple(path)


def problem_of(error: ErrorDetails) -> Problem:
    """The problem that pydantic found, in words."""
    path = path_of(error)
    match error["type"]:
        case "missing":
            wanted = f": {meaning}" if (meaning := _meaning(path)) else ""
            return Problem(path=path, message="is missing", fix=f"Add it{wanted}")
        case "extra_forbidden":
            return _unknown_key(path)
        case "enum":
            return _not_a_choice(path, error)
    message, fix = _wording(path, error)
    return Problem(path=path, message=message, fix=fix)


def target_of(error: ErrorDetails) -> Path | None:
    """For an unknown key, the path that was probably meant: what stands there counts as faulty too."""
    if error["type"] != "extra_forbidden":
        return None
    path = path_of(error)
    near = _nearest_key(path)
    return (*path[:-1], near) if near else None


def _unknown_key(path: Path) -> Problem:
    known = _known_keys(path[:-1])
    near = _nearest_key(path)
    fix = f"Did you mean `{near}`?" if near else f"Known here: {', '.join(known)}" if known else "Remove it"
    return Problem(path=path, message="is not a known key", fix=fix)


def _nearest_key(path: Path) -> str | None:
    return nearest_name(str(path[-1]), _known_keys(path[:-1])) if path else None


def _not_a_choice(path: Path, error: ErrorDetails) -> Problem:
    members = _enum_members(path)
    value = error["input"]
    near = nearest_name(value, members) if isinstance(value, str) else None
    fix = f"Did you mean {near}?" if near else ""
    wanted = ", ".join(members) or str(error.get("ctx", {}).get("expected", ""))
    return Problem(path=path, message=f"must be one of {wanted}, not {_shown(value)}", fix=fix)


def _wording(path: Path, error: ErrorDetails) -> tuple[str, str]:
    value, context = error["input"], error.get("ctx", {})
    kind = error["type"]
    if value is None:
        return "is empty", "Give it a value, or leave the key out if it has a default"
    if path[-1:] == ("nodes",) and kind in {"int_type", "int_from_float", "model_type"}:
        return (
            f"must be a number of nodes or a range, not {_shown(value)}",
            "Write `nodes: 4`, or `nodes: {min: 0, max: 4}`",
        )
    match kind:
        case "string_type":
            return f"must be text, not {_shown(value)}", "Put it in quotes" if isinstance(value, int | float) else ""
        case "int_type" | "int_from_float" | "int_parsing" | "int_parsing_size":
            return f"must be a whole number, not {_shown(value)}", _unquote(value)
        case "float_type" | "float_parsing" | "finite_number":
            return f"must be a number, not {_shown(value)}", _unquote(value)
        case "bool_type" | "bool_parsing":
            return f"must be true or false, not {_shown(value)}", ""
        case "list_type":
            return (
                f"must be a list, not {_shown(value)}",
                "Put the items in [ ], or each on a line of its own behind a dash",
            )
        case "model_type" | "dict_type" | "model_attributes_type":
            known = _known_keys(path)
            return f"must be a block of keys, not {_shown(value)}", f"Known here: {', '.join(known)}" if known else ""
        case "string_pattern_mismatch":
            pattern = str(context.get("pattern", ""))
            return f"{_shown(value)} is not {MEANINGS.get(pattern, f'of the form {pattern}')}", ""
        case "value_error":
            return f"{_shown(value)} {context.get('error', '')}", ""
    return _bounds(kind, value, context) or (f"{_shown(value)} is refused: {error['msg']}", "")


def _bounds(kind: str, value: object, context: Mapping[str, object]) -> tuple[str, str] | None:
    match kind:
        case "greater_than":
            return f"must be more than {context['gt']}, not {_shown(value)}", ""
        case "greater_than_equal":
            return f"must be at least {context['ge']}, not {_shown(value)}", ""
        case "less_than":
            return f"must be less than {context['lt']}, not {_shown(value)}", ""
        case "less_than_equal":
            return f"must be at most {context['le']}, not {_shown(value)}", ""
        case "string_too_short":
            return f"must have at least {context['min_length']} characters, not {_shown(value)}", ""
        case "string_too_long":
            return f"must have at most {context['max_length']} characters", ""
        case "too_short":
            return f"must have at least {_counted(context['min_length'])}", ""
        case "too_long":
            return f"must have at most {_counted(context['max_length'])}, not {context.get('actual_length')}", ""
        case "date_type" | "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact":
            return f"must be a date such as 2026-12-01, not {_shown(value)}", ""
    return None


def _counted(number: object) -> str:
    return f"{number} item" if number == 1 else f"{number} items"


def _unquote(value: object) -> str:
    return "Leave the quotes out" if isinstance(value, str) and value.replace(".", "", 1).lstrip("+-").isdigit() else ""


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {quoted(value)}"
        case int() | float():
            text = (
                f"{value:.6g}"
                if isinstance(value, int) and value.bit_length() > 64 and value.bit_length() < 1000
                else None
            )
            if text is None:
                text = (
                    "a number beyond all bounds"
                    if isinstance(value, int) and value.bit_length() >= 1000
                    else str(value)
                )
            return text
        case list():
            return "a list"
        case dict():
            return "a block of keys"
    return f"the {type(value).__name__} {value}"


def _meaning(path: Path) -> str:
    annotation = _annotation(path)
    text = ""
    for pattern, meaning in MEANINGS.items():
        if annotation is not None and pattern in repr(annotation):
            text = meaning
            break
    if not text and (members := _enum_members(path)):
        text = f"one of {', '.join(members)}"
    return text


def _known_keys(path: Path) -> list[str]:
    model = _model(path)
    return [str(field.alias) for field in model.model_fields.values()] if model else []


def _enum_members(path: Path) -> list[str]:
    for option in _options(_annotation(path)):
        if isinstance(option, type) and issubclass(option, StrEnum):
            return [member.value for member in option]
    return []


def _model(path: Path) -> type[Spec] | None:
    if not path:
        return Environment
    for option in _options(_annotation(path)):
        if isinstance(option, type) and issubclass(option, Spec):
            return option
    return None


def _annotation(path: Path) -> object:
    """The annotation of the value at `path`; None where the models have none."""
    if not path:
        return Environment
    if isinstance(path[-1], int):
        for option in _options(_annotation(path[:-1])):
            if typing.get_origin(option) is list:
                return typing.get_args(option)[0]
        return None
    model = _model(path[:-1])
    for field in model.model_fields.values() if model else ():
        if field.alias == path[-1]:
            return typing.Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return None


def _options(annotation: object) -> list[object]:
    """The members of a union, without the metadata around them."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _options(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [member for option in typing.get_args(annotation) for member in _options(option)]
    return [annotation]

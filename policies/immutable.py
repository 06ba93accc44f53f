"""What can't change on a resource that is there (data/immutable.yaml), and whether two declarations agree on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.graph import Node
from gpufleet.graph.model import Hidden, Value
from policies.reading import Properties, UndecidedError


class Fixed(BaseModel):
    """What can't change on one type of resource."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: dt.date = Field(alias="asOf")
    source: str
    fields: list[str]
    """Paths of properties."""
    defaults: dict[str, str | bool] = {}
    """What Azure takes where the program says nothing, by path."""
    data: bool = False
    """Whether it holds data, which goes with it."""


FIXED: Final[Mapping[str, Fixed]] = TypeAdapter(dict[str, Fixed]).validate_python(
    read_yaml(Path(__file__).parent / "data" / "immutable.yaml")
)
"""By type token without a version."""
DATA: Final = tuple(type_ for type_, fixed in FIXED.items() if fixed.data)
"""Types that hold data."""


def changes(
    type_: str, old: tuple[Node, Properties], new: tuple[Node, Properties]
) -> Iterator[tuple[str, Value, Value]]:
    """The fixed properties that differ, each with its old and its new value.

    Args:
        type_: one of `FIXED`.
        old: the resource as it is, and the mapping in it that holds the properties: of an inline pool its profile.
        new: as it is to be.

    Raises:
        UndecidedError: after the differences; whether a property changes is known only later.
    """
    unknown: list[str] = []
    for path in FIXED[type_].fields:
        default = FIXED[type_].defaults.get(path)
        before, after = (_at(properties, path, default) for _, properties in (old, new))
        same = _same(path, before, after)
        if same is None and not _same_sources(path, (old, before), (new, after)):
            unknown.append(path)
        elif same is False:
            yield path, before, after
    if unknown:
        raise UndecidedError(f"whether {', '.join(unknown)} changes is known only once Azure has made it")


def _at(properties: Properties, path: str, default: Value) -> Value:
    value: Value = dict(properties.values)
    for part in path.split("."):
        if not isinstance(value, dict):
            return value if isinstance(value, Hidden) else default
        value = value.get(part)
    return default if value is None else value


def _same(path: str, old: Value, new: Value) -> bool | None:
    """None when nobody can tell: a part of either is unknown or secret, and the rest agrees."""
    if isinstance(old, Hidden) or isinstance(new, Hidden):
        return None
    if isinstance(old, dict) and isinstance(new, dict):
        return _all([_same(path, old.get(key), new.get(key)) for key in {*old, *new}])
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return _all([_same(path, *pair) for pair in zip(old, new, strict=True)])
    if path == "location" and isinstance(old, str) and isinstance(new, str):  # Azure takes `East US` for `eastus`
        return "".join(old.split()).casefold() == "".join(new.split()).casefold()
    return old == new or (not old and not new and not isinstance(old, bool | int) and not isinstance(new, bool | int))


def _all(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def _same_sources(
    path: str, old: tuple[tuple[Node, Properties], Value], new: tuple[tuple[Node, Properties], Value]
) -> bool:
    """Whether a property is made from the same outputs as before, so that not knowing them says nothing.

    What no resource's output is in (the subscription's id) must be unknown on both sides.
    """
    before, after = (
        node.property_dependencies.get(str(properties.where[0]) if properties.where else path.partition(".")[0], ())
        for (node, properties), _ in (old, new)
    )
    return before == after and (bool(before) or old[1] == new[1])

"""From what a program gives to what the graph holds (pulumi/pulumi: sdk/python/lib/pulumi/runtime/rpc.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gpufleet.graph.model import SECRET, UNKNOWN, Value
from gpufleet.graph.standin.outputs import UNKNOWN_PART, Output, has_unknowns
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.shapes import ANY, Parameter, Type
from gpufleet.graph.wire import plain

if TYPE_CHECKING:
    from gpufleet.graph.standin.resources import Resource

_NOT_LISTS: Final = (str, bytes, bytearray, range, memoryview)


class Arguments:
    """Arguments of the SDK: what was given, by parameter."""

    standin_parameters: Mapping[str, Parameter] = {}
    standin_arguments: Mapping[str, object]

    def __init__(self, **given: object) -> None:
        vars(self)["standin_arguments"] = given

    def __setattr__(self, name: str, value: object) -> None:
        raise NotStoodInError(f"{type(self).__name__}.{name} set later")


def inputs(
    given: Mapping[str, tuple[object, Type]],
) -> tuple[dict[str, Value], dict[str, frozenset[Resource]]]:
    """What is sent of a resource's inputs, and the resources that each is made from.

    Args:
        given: value and type, by the provider's own name.

    Raises:
        NotStoodInError: see `sent`.
    """
    properties: dict[str, Value] = {}
    made_from: dict[str, frozenset[Resource]] = {}
    for name, (value, type_) in given.items():
        found: set[Resource] = set()
        property_ = sent(value, type_, found)
        if property_ is not None and not name.startswith("__"):
            properties[name] = property_
            made_from[name] = frozenset(found)
    return properties, made_from


def sent(value: object, type_: Type, sources: set[Resource]) -> Value:
    """A value as it is sent, with unknown parts and secrets masked.

    Args:
        value: what the program gave.
        type_: what the SDK takes.
        sources: the resources whose outputs it is made from are added.

    Raises:
        NotStoodInError: the SDK would refuse it, or do more than pass it on.
    """
    if isinstance(value, Output):
        data = value.standin_data
        sources |= data.resources
        found = sent(None if has_unknowns(data.value) else data.value, type_, sources)
        return SECRET if data.secret else found if data.known else UNKNOWN
    if value is UNKNOWN_PART:
        return UNKNOWN
    if isinstance(value, Arguments):
        return _arguments(value, sources)
    if isinstance(value, Mapping):
        return _mapping(value, type_, sources)
    if isinstance(value, Sequence) and not isinstance(value, _NOT_LISTS):
        if type_.kind not in {"any", "list"}:
            raise NotStoodInError(f"a list where the SDK takes a {type_.kind}")
        return [sent(item, type_.items or ANY, sources) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Value:
    # Enumerations are text or numbers too, and their own text is another one.
    for kind in (str, float):
        if isinstance(value, kind):
            return plain(kind.__add__(value, kind()))  # type: ignore[operator]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(float(value))  # all numbers are floating-point ones on the wire
    if value is None or isinstance(value, bool):
        return value
    raise NotStoodInError(f"a {type(value).__name__} as a property")


def _arguments(value: Arguments, sources: set[Resource]) -> Value:
    found: dict[str, Value] = {}
    for name, item in value.standin_arguments.items():
        parameter = value.standin_parameters[name]
        if (given := sent(item, parameter.type, sources)) is not None:
            found[parameter.wire] = given
    return found


def _mapping(value: Mapping[object, object], type_: Type, sources: set[Resource]) -> Value:
    if type_.kind == "other":
        raise NotStoodInError("a mapping in place of the SDK's arguments: it would translate the keys")
    found: dict[str, Value] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotStoodInError("a mapping whose keys are not text")
        inner = type_.items if type_.kind == "map" and type_.items is not None else ANY
        if (given := sent(item, inner, sources)) is not None and not key.startswith("__"):
            found[key] = given
    return found

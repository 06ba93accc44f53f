"""A contract: the properties of a resource type, with their types, as plain data (it is cached on disk as JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sandbox.values import Properties, Value


@dataclass(frozen=True, slots=True)
class Scalar:
    """``string``, ``integer``, ``number``, ``boolean`` or ``any``."""

    name: str


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A string out of a list. ``name`` is the SDK's enum, so that values missing there can be added as data."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A list of one type."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Map:
    """An object with free keys and values of one type."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Reference:
    """One of the contract's named object types."""

    name: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several types."""

    options: tuple[Shape, ...]


Shape: TypeAlias = Scalar | Enumeration | Array | Map | Reference | OneOf

ANY = Scalar("any")


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object: its properties by wire name, and which must be there."""

    properties: Mapping[str, Shape]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Contract:
    """One resource type: what goes in and comes out, the object types both use, and the default API version (Azure)."""

    token: str
    inputs: ObjectShape
    outputs: ObjectShape
    types: Mapping[str, ObjectShape]
    api_version: str


def shape_to_json(shape: Shape) -> Value:
    """The JSON form of a type."""
    match shape:
        case Scalar(name):
            return name
        case Enumeration(name, values):
            return {"enum": name, "values": list(values)}
        case Array(item):
            return {"array": shape_to_json(item)}
        case Map(item):
            return {"map": shape_to_json(item)}
        case Reference(name):
            return {"ref": name}
        case OneOf(options):
            return {"oneOf": [shape_to_json(option) for option in options]}


def shape_from_json(data: Value) -> Shape:
    """The type from its JSON form."""
    if isinstance(data, str):
        return Scalar(data)
    if "enum" in data:
        return Enumeration(data["enum"], tuple(data["values"]))
    if "array" in data:
        return Array(shape_from_json(data["array"]))
    if "map" in data:
        return Map(shape_from_json(data["map"]))
    if "ref" in data:
        return Reference(data["ref"])
    return OneOf(tuple(shape_from_json(option) for option in data["oneOf"]))


def _object_to_json(shape: ObjectShape) -> Properties:
    return {
        "properties": {name: shape_to_json(item) for name, item in shape.properties.items()},
        "required": sorted(shape.required),
    }


def _object_from_json(data: Properties) -> ObjectShape:
    return ObjectShape(
        {name: shape_from_json(item) for name, item in data["properties"].items()}, frozenset(data["required"])
    )


def contract_to_json(contract: Contract) -> Properties:
    """The JSON form of a contract."""
    return {
        "token": contract.token,
        "apiVersion": contract.api_version,
        "inputs": _object_to_json(contract.inputs),
        "outputs": _object_to_json(contract.outputs),
        "types": {name: _object_to_json(shape) for name, shape in contract.types.items()},
    }


def contract_from_json(data: Properties) -> Contract:
    """The contract from its JSON form."""
    return Contract(
        token=data["token"],
        api_version=data["apiVersion"],
        inputs=_object_from_json(data["inputs"]),
        outputs=_object_from_json(data["outputs"]),
        types={name: _object_from_json(shape) for name, shape in data["types"].items()},
    )

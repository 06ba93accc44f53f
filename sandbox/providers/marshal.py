"""Property values to and from the engine's wire form (google.protobuf.Struct with the SDK's special signatures)."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue

from sandbox.errors import NotEmulatedError
from sandbox.providers.protocol import OUTPUT, SECRET, SIGNATURE, UNKNOWN_TEXT
from sandbox.values import UNKNOWN, Properties, Secret, Unknown, Value, has_unknown, reveal


def from_struct(struct: Struct) -> Properties:
    """The properties in a message; nulls are dropped, whole numbers become integers."""
    result: Properties = {}
    for key, wire in struct.fields.items():
        value = _from_wire(wire)
        if value is not None:
            result[key] = value
    return result


def _from_wire(wire: WireValue) -> Value:
    kind = wire.WhichOneof("kind")
    if kind == "string_value":
        text = wire.string_value
        return UNKNOWN if text == UNKNOWN_TEXT else text
    if kind == "struct_value":
        return _from_object(wire.struct_value)
    if kind == "list_value":
        return [_from_wire(item) for item in wire.list_value.values]
    if kind == "number_value":
        number = wire.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return wire.bool_value
    return None


def _from_object(struct: Struct) -> Value:
    fields = struct.fields
    if SIGNATURE not in fields:
        return from_struct(struct)
    signature = fields[SIGNATURE].string_value
    if signature == SECRET:
        return secret(_from_wire(fields["value"]))
    if signature == OUTPUT:
        value = _from_wire(fields["value"]) if "value" in fields else UNKNOWN
        return secret(value) if "secret" in fields and fields["secret"].bool_value else value
    raise NotEmulatedError("the sandbox takes no assets, archives or resource references as property values")


def secret(value: Value) -> Value:
    """The value as a secret; one that is not known yet stays unknown."""
    return UNKNOWN if has_unknown(value) else Secret(reveal(value))


def to_struct(properties: Properties) -> Struct:
    """The message for some properties."""
    struct = Struct()
    _fill(struct, properties)
    return struct


def _fill(struct: Struct, properties: Properties) -> None:
    fields = struct.fields
    for key, value in properties.items():
        _to_wire(fields[key], value)


def _to_wire(wire: WireValue, value: Value) -> None:
    if isinstance(value, str):
        wire.string_value = value
    elif isinstance(value, bool):
        wire.bool_value = value
    elif isinstance(value, int | float):
        wire.number_value = value
    elif isinstance(value, dict):
        wire.struct_value.SetInParent()
        _fill(wire.struct_value, value)
    elif isinstance(value, list | tuple):
        wire.list_value.SetInParent()
        for item in value:
            _to_wire(wire.list_value.values.add(), item)
    elif isinstance(value, Unknown):
        wire.string_value = UNKNOWN_TEXT
    elif isinstance(value, Secret):
        fields = wire.struct_value.fields
        fields[SIGNATURE].string_value = SECRET
        _to_wire(fields["value"], value.value)
    elif value is None:
        wire.null_value = 0  # type: ignore[assignment]
    else:
        raise TypeError(f"{type(value).__name__} is no property value")

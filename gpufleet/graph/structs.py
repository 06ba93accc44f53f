"""Protobuf structs, in which the engine sends properties, as plain values."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue


def mapping(struct: Struct) -> dict[str, object]:
    """A struct as the mapping that it stands for; what `gpufleet.graph.wire` makes of it is a property.

    Unlike `google.protobuf.json_format`, it takes numbers that JSON has not (NaN, infinities).
    """
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(wire: WireValue) -> object:
    kind = wire.WhichOneof("kind")
    if kind == "struct_value":
        return mapping(wire.struct_value)
    if kind == "list_value":
        return [_value(value) for value in wire.list_value.values]
    return None if kind in {None, "null_value"} else getattr(wire, kind)

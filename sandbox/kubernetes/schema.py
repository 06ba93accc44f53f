"""Custom resources against their definition's openAPIV3Schema: the structural subset that API servers take.

Read are type, properties, additionalProperties, items, required, enum, pattern, format (int32, int64), minimum, maximum
(and their exclusive forms), minLength, maxLength, minItems, maxItems, minProperties, maxProperties, nullable and the
extensions int-or-string, preserve-unknown-fields, list-type and list-map-keys. Not read are allOf, anyOf, oneOf, not,
multipleOf, uniqueItems and x-kubernetes-validations (CEL). Own code because a value may be unknown or secret here,
which no JSON Schema library knows.

Source: Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions", structural schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sandbox.kubernetes.fields import FieldError, child, concealed, duplicate, invalid, required, unsupported
from sandbox.values import UNKNOWN, Properties, Value, has_unknown

_ROOT = frozenset({"apiVersion", "kind", "metadata"})
_BITS = {"int32": 31, "int64": 63}


def check_schema(schema: Mapping[str, Value], body: Properties) -> list[FieldError]:
    """Everything wrong with a custom resource; unknown values pass, secrets are not shown.

    Unknown fields are errors, as server-side apply has them ("field not declared in schema"); a plain create would drop
    them with a warning, which helps nobody here.
    """
    content = {key: value for key, value in concealed(body).items() if key not in _ROOT and not key.startswith("__")}
    declared = {**_map(schema, "properties")}
    root = {**schema, "properties": {key: value for key, value in declared.items() if key not in _ROOT}}
    root["required"] = [name for name in schema.get("required") or () if name not in _ROOT]
    return list(_check(root, content, ""))


def _map(schema: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    found = schema.get(name)
    return found if isinstance(found, Mapping) else {}


def _extension(schema: Mapping[str, Value], name: str) -> Value:
    # The SDK writes x_kubernetes_… because its properties cannot have hyphens.
    return schema.get(f"x-kubernetes-{name}", schema.get(f"x_kubernetes_{name.replace('-', '_')}"))


def _check(schema: Mapping[str, Value], value: Value, path: str) -> Iterator[FieldError]:
    if value is UNKNOWN or (value is None and (schema.get("nullable") or not path)):
        return
    if _extension(schema, "int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield _wrong_type(path, value, "integer,string")
        elif isinstance(value, str):
            yield from _pattern(schema, value, path)
        return
    kind = schema.get("type")
    if isinstance(kind, str) and not _is(kind, value):
        yield _wrong_type(path, value, kind)
        return
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        yield unsupported(path, value, [str(choice) for choice in choices])
    yield from _bounds(schema, value, path)
    if isinstance(value, Mapping):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _array(schema, value, path)
    elif isinstance(value, str):
        yield from _pattern(schema, value, path)


def _is(kind: str, value: Value) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int | float) and float(value).is_integer()
    return isinstance(value, _TYPES.get(kind, object))


_TYPES = {"object": Mapping, "array": list, "string": str, "number": int | float, "boolean": bool}


def _wrong_type(path: str, value: Value, kind: str) -> FieldError:
    names = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    found = next((name for cls, name in names.items() if isinstance(value, cls)), "null")
    return invalid(path, found, f'{path} in body must be of type {kind}: "{found}"')


def _object(schema: Mapping[str, Value], value: Mapping[str, Value], path: str) -> Iterator[FieldError]:
    properties, extra = _map(schema, "properties"), schema.get("additionalProperties")
    for name in schema.get("required") or ():
        if value.get(name) is None:
            yield required(child(path, name))
    for name, item in value.items():
        where = child(path, name)
        if name in properties:
            yield from _check(properties[name], item, where)
        elif isinstance(extra, Mapping):
            yield from _check(extra, item, where)
        elif not extra and not _extension(schema, "preserve-unknown-fields"):
            yield FieldError(where, "field not declared in schema")


def _array(schema: Mapping[str, Value], value: list[Value], path: str) -> Iterator[FieldError]:
    items = schema.get("items")
    for index, item in enumerate(value):
        if isinstance(items, Mapping):
            yield from _check(items, item, f"{path}[{index}]")
    kind, keys = _extension(schema, "list-type"), _extension(schema, "list-map-keys") or ()
    if kind not in {"set", "map"}:
        return
    seen: list[Value] = []
    for index, item in enumerate(value):
        key = {name: item.get(name) for name in keys} if kind == "map" and isinstance(item, Mapping) else item
        if has_unknown(key):
            continue
        if key in seen:
            yield duplicate(f"{path}[{index}]", key)
        seen.append(key)


_LENGTHS = (
    ("minLength", "maxLength", str, "chars long"),
    ("minItems", "maxItems", list, "items"),
    ("minProperties", "maxProperties", dict, "properties"),
)


def _bounds(schema: Mapping[str, Value], value: Value, path: str) -> Iterator[FieldError]:
    for low, high, kind, unit in _LENGTHS:
        if isinstance(value, kind):
            if isinstance(schema.get(low), int | float) and len(value) < schema[low]:
                yield invalid(path, value, f"{path} in body should be at least {schema[low]:g} {unit}")
            if isinstance(schema.get(high), int | float) and len(value) > schema[high]:
                yield FieldError(path, f"Too long: may not be more than {schema[high]:g} {unit}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float) and (value < least or (schema.get("exclusiveMinimum") and value == least)):
        yield invalid(path, value, f"{path} in body should be greater than or equal to {least:g}")
    if isinstance(most, int | float) and (value > most or (schema.get("exclusiveMaximum") and value == most)):
        yield invalid(path, value, f"{path} in body should be less than or equal to {most:g}")
    bits = _BITS.get(str(schema.get("format")))
    if bits and not -(2**bits) <= value < 2**bits:
        yield invalid(path, value, f"Checked value must be of type integer with format {schema['format']}")


def _pattern(schema: Mapping[str, Value], value: str, path: str) -> Iterator[FieldError]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not re.search(pattern, value):
        yield invalid(path, value, f"{path} in body should match '{pattern}'")

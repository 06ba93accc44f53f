"""The official Python client's models as a judge of objects: unknown keys, required fields and types, strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubernetes.client import models  # type: ignore[import-untyped]

from sandbox.values import Value

_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "datetime": (str,),
    "object": (object,),
}


def model_of(body: dict[str, Any]) -> str:
    """The name of an object's model: V1Deployment, V2HorizontalPodAutoscaler."""
    version = body["apiVersion"].rpartition("/")[2]
    return f"{version.upper() if len(version) == 2 else version.capitalize()}{body['kind']}"


def complaints(value: Value, kind: str, path: str = "") -> Iterator[str]:
    """Paths at which a value does not fit a model's type, each with the reason."""
    found = re.fullmatch(r"(list|dict)[\[(](.*)[\])]", kind)
    if found and found[1] == "list":
        if not isinstance(value, list):
            yield f"{path}: not a list"
            return
        for index, item in enumerate(value):
            yield from complaints(item, found[2], f"{path}[{index}]")
    elif found:
        if not isinstance(value, dict):
            yield f"{path}: not a map"
            return
        for key, item in value.items():
            yield from complaints(item, found[2].partition(",")[2].strip(), f"{path}.{key}")
    elif kind in _SCALARS:
        # An IntOrString is an object to the client.
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind in {"int", "float"}):
            yield f"{path}: {type(value).__name__} is no {kind}"
    else:
        yield from _model(value, kind, path)


def _model(value: Value, kind: str, path: str) -> Iterator[str]:
    cls = getattr(models, kind)
    if not isinstance(value, dict):
        yield f"{path}: not an object"
        return
    attributes = {wire: python for python, wire in cls.attribute_map.items()}
    for key in value.keys() - attributes.keys():
        yield f"{path}.{key}: unknown"
    for key, item in value.items():
        if key in attributes:
            yield from complaints(item, cls.openapi_types[attributes[key]], f"{path}.{key}".lstrip("."))
    try:
        cls(**{attributes[key]: item for key, item in value.items() if key in attributes})
    except ValueError as error:  # the client's own check: required fields and enumerations
        yield f"{path}: {error}"

"""The SDKs' annotations, reduced to how a value is sent (pulumi/pulumi: sdk/python/lib/pulumi/_types.py)."""

from __future__ import annotations

import ast
from functools import cache
from typing import Final

from gpufleet.graph.standin.shapes import ANY, Type

_WRAPPERS: Final = frozenset({"Input", "Optional", "InputType", "Output"})
_LISTS: Final = frozenset({"Sequence", "List", "list"})
_MAPS: Final = frozenset({"Mapping", "Dict", "dict"})
_SCALARS: Final = frozenset({"str", "bool", "int", "float", "Literal"})
_OTHER: Final = Type(kind="other")


@cache
def parsed(annotation: str) -> Type:
    """The type of an annotation of the SDK, such as `pulumi.Input[Optional[Sequence['SubnetArgs']]]`."""
    return _type(ast.parse(annotation, mode="eval").body)


def _type(node: ast.expr) -> Type:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return parsed(node.value)
    if isinstance(node, ast.Subscript):
        return _generic(_name(node.value), node.slice)
    name = _name(node)
    if name == "Any":
        return ANY
    if name in _LISTS:
        return Type(kind="list", items=ANY)
    if name in _MAPS:
        return Type(kind="map", items=ANY)
    return Type(kind="scalar") if name in _SCALARS else _OTHER


def _generic(name: str, inside: ast.expr) -> Type:
    if name in _WRAPPERS:
        return _type(inside)
    if name in _LISTS:
        return Type(kind="list", items=_type(inside))
    if name in _MAPS and isinstance(inside, ast.Tuple):
        return Type(kind="map", items=_type(inside.elts[1]))
    return Type(kind="scalar") if name in _SCALARS else _OTHER


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]

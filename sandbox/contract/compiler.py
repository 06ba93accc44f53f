"""Compile a contract from the SDK's classes: ``<Type>Args`` and its nested types for inputs, getters for outputs.

The SDK marks its properties with ``pulumi.getter``; the wire name is on the getter, the type is its return annotation,
and what must be there has no default in the constructor. Importing a module of the SDK is slow (0.2 to 0.8 s), so
contracts are compiled once per SDK version.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from enum import Enum
from types import ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from sandbox.contract.model import ANY, Array, Contract, Enumeration, Map, ObjectShape, OneOf, Reference, Scalar, Shape

_SCALARS = {str: Scalar("string"), bool: Scalar("boolean"), int: Scalar("integer"), float: Scalar("number")}
_API_VERSION = re.compile(r"Uses Azure REST API version (\S+?)\.(?:\s|$)")
# How the SDK marks a getter with its wire name, and its nested types (pulumi/sdk/python/lib/pulumi/_types.py).
_WIRE_NAME = "_pulumi_name"
_NESTED = ("_pulumi_input_type", "_pulumi_output_type")


class TypeNotInSdkError(LookupError):
    """The token names no resource class of the installed SDK."""


def compile_contract(token: str) -> Contract:
    """The contract of ``azure-native:<module>:<Type>`` or ``kubernetes:<group>/<version>:<Kind>``.

    Raises:
        TypeNotInSdkError: the installed SDK has no such resource.
    """
    module, name = _module_of(token), token.rpartition(":")[2]
    resource = getattr(module, name, None) if module else None
    if module is None or not inspect.isclass(resource):
        raise TypeNotInSdkError(token)
    # A nested type may own the plain name: then the SDK calls the resource's own <Type>InitArgs (monitor.ActionGroup,
    # network.Subnet).
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    compiler = _Compiler()
    inputs = compiler.object_shape(arguments)
    outputs = compiler.object_shape(resource)
    return Contract(
        token=token, inputs=inputs, outputs=outputs, types=compiler.types, api_version=_api_version(resource)
    )


def _api_version(resource: type) -> str:
    """The default API version (Azure only): the SDK states it in the constructor's documentation, nowhere else."""
    for overload in typing.get_overloads(resource.__init__):  # type: ignore[misc]
        found = _API_VERSION.search(overload.__doc__ or "")
        if found:
            return found[1]
    return ""


def _module_of(token: str) -> ModuleType | None:
    package, path, _ = token.split(":")
    root = {"azure-native": "pulumi_azure_native", "kubernetes": "pulumi_kubernetes"}[package]
    # Kubernetes groups lose their domain in the SDK: rbac.authorization.k8s.io/v1 is pulumi_kubernetes.rbac.v1.
    group, _, version = path.partition("/")
    name = ".".join([root, group.partition(".")[0].replace("-", ""), *([version] if version else [])])
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


class _Compiler:
    """Turns classes into shapes and collects the named object types it meets."""

    def __init__(self) -> None:
        self.types: dict[str, ObjectShape] = {}

    def object_shape(self, cls: type) -> ObjectShape:
        """The properties of an input type, an output type or a resource class."""
        required = {
            parameter.name
            for parameter in inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.default is inspect.Parameter.empty
        }
        properties = {wire: (python, self.shape(hint)) for python, wire, hint in _getters(cls)}
        return ObjectShape(
            {wire: shape for wire, (_, shape) in properties.items()},
            frozenset(wire for wire, (python, _) in properties.items() if python in required),
        )

    def shape(self, hint: object) -> Shape:
        """The shape of an annotation, without the SDK's Input/Output wrapping."""
        options: list[Shape] = []
        for option in _options(hint):
            shape = self._plain(option)
            if shape == ANY:
                return ANY
            if shape not in options:
                options.append(shape)
        enumerations = [option for option in options if isinstance(option, Enumeration)]
        if enumerations:
            # Union[str, SomeEnum] is how the SDK writes an extensible enum; Azure refuses a value it does not know all
            # the same.
            options = [option for option in options if option != Scalar("string")]
        if not options:
            return ANY
        return options[0] if len(options) == 1 else OneOf(tuple(options))

    def _plain(self, hint: object) -> Shape:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return Enumeration("", tuple(str(argument) for argument in arguments))
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return Map(self.shape(arguments[1]))
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return Array(self.shape(arguments[0]))
        return self._class(hint) if isinstance(hint, type) else ANY

    def _class(self, cls: type) -> Shape:
        if issubclass(cls, Enum):
            return Enumeration(cls.__name__, tuple(str(member.value) for member in cls))
        if any(hasattr(cls, mark) for mark in _NESTED):
            return self._named(cls)
        return _SCALARS.get(cls, ANY)

    def _named(self, cls: type) -> Reference:
        name = f"{cls.__module__.partition('.')[2]}.{cls.__name__}"
        if name not in self.types:
            self.types[name] = ObjectShape({}, frozenset())  # types may contain themselves
            self.types[name] = self.object_shape(cls)
        return Reference(name)


def _options(hint: object) -> Iterator[object]:
    """The alternatives in an annotation, without None and the Awaitable, Output and TypedDict twins."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        for argument in get_args(hint):
            if get_origin(argument) is not _sdk().Output:
                yield from _options(argument)
    elif origin is _sdk().Output:
        yield from _options(get_args(hint)[0])
    elif origin is not Awaitable and hint is not type(None) and not typing.is_typeddict(hint):
        yield hint


def _getters(cls: type) -> Iterator[tuple[str, str, Any]]:
    """Python name, wire name and return annotation of each property of a class."""
    for python, member in inspect.getmembers_static(cls):
        wire = getattr(getattr(member, "fget", None), _WIRE_NAME, None)
        if wire is None or (python in {"id", "urn"} and issubclass(cls, _sdk().Resource)):
            continue
        # pulumi.Input is a union with a forward reference to Output[T] in it, which the SDK's modules cannot resolve by
        # themselves.
        names = {"Output": _sdk().Output, "T": type(None)}
        yield python, wire, typing.get_type_hints(member.fget, localns=names)["return"]


@functools.cache
def _sdk() -> ModuleType:
    """The pulumi package, imported when something is compiled: a cached contract does not need it."""
    return importlib.import_module("pulumi")

"""Packages that look like the SDKs' and make their classes out of shapes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from gpufleet.graph.model import Hidden, Value
from gpufleet.graph.standin import resources
from gpufleet.graph.standin.outputs import Data, Output
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.resources import CustomResource, InvokeOutputOptions, ProviderResource, ResourceOptions
from gpufleet.graph.standin.shapes import (
    ANY,
    ArgumentsType,
    Enumeration,
    Function,
    Parameter,
    ResourceType,
    Shape,
    Shapes,
    SubPackage,
)
from gpufleet.graph.standin.values import Arguments, inputs, sent

PACKAGES: Final = ("pulumi_azure_native", "pulumi_kubernetes")

_CLIENT: Final = "azure-native:authorization:getClientConfig"


class Package(ModuleType):
    """A package of an SDK: its packages and what they define, when asked for.

    Args:
        name: full name.
        shapes: those that are known; new ones are added.
    """

    def __init__(self, name: str, shapes: Shapes) -> None:
        super().__init__(name)
        self._shapes = shapes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever the SDK has there
        if name.startswith("_"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        shape = self._shapes.found.get(full) or self._read(name)
        found = Package(full, self._shapes) if isinstance(shape, SubPackage) else _made(name, shape)
        setattr(self, name, found)
        return found

    def _read(self, name: str) -> Shape:
        from gpufleet.graph.standin import sources  # noqa: PLC0415 for names that are new alone

        shape = sources.read(self.__name__, name)
        self._shapes.add(f"{self.__name__}.{name}", shape)
        return shape


def _made(name: str, shape: ArgumentsType | ResourceType | Enumeration | Function) -> object:
    match shape:
        case ArgumentsType():
            return type(name, (_SdkArguments,), {"standin_parameters": shape.parameters})
        case ResourceType():
            return type(name, (_SdkProvider if shape.provider else _SdkResource,), {"standin_shape": shape})
        case Enumeration():
            return _SdkEnumeration(name, shape.members)
        case Function():
            return _function(name, shape)


class _Member(str):
    """A member of an enumeration, as a value. Its text is another one in Python, and none of the provider's."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str.__add__(self, "")

    def __str__(self) -> str:
        raise NotStoodInError("an enumeration's member as text")

    def __format__(self, spec: str) -> str:
        raise NotStoodInError("an enumeration's member as text")


class _SdkEnumeration:
    """An enumeration without what makes a real one slow to make: some fifty take a fifth of a plan."""

    def __init__(self, name: str, members: Mapping[str, str]) -> None:
        self._name = name
        self._members = {value: _Member(value) for value in members.values()}
        vars(self).update({key: self._members[value] for key, value in members.items()})

    def __call__(self, value: str) -> _Member:
        if value not in self._members:
            raise ValueError(f"{value!r} is not a valid {self._name}")
        return self._members[value]


class _SdkArguments(Arguments):
    def __init__(self, **given: object) -> None:
        super().__init__(**_checked(type(self).__name__, self.standin_parameters, given))


class _FromShape:
    """Outputs by name. A provider's preview promises plain inputs, and nothing else (see `monitor.Monitor`)."""

    standin_shape: ResourceType
    standin_properties: Mapping[str, Value]

    def __getattr__(self, name: str) -> Output:
        wire = type(self).standin_shape.outputs.get(name)
        if wire is None:
            raise AttributeError(f"{type(self).__name__} has no output {name!r}")
        value = self.standin_properties.get(wire)
        assert isinstance(self, resources.Resource)
        known = isinstance(value, str | int | float) and not isinstance(value, Hidden)
        return Output(Data(resources=frozenset({self}), value=value if known else None, known=known))


class _SdkResource(_FromShape, CustomResource):
    def __init__(self, resource_name: str, *, opts: ResourceOptions | None = None, **given: object) -> None:
        token, properties, sources_ = _inputs(type(self).__name__, self.standin_shape, given)
        self.standin_properties = properties
        super().__init__(token, resource_name, opts, properties=properties, sources=sources_)


class Untyped(CustomResource):
    """`pulumi.CustomResource` as a program calls it, for a kind that no SDK has a class for."""

    def __init__(
        self,
        t: str,
        name: str,
        props: Mapping[str, object] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        given = {key: (value, ANY) for key, value in (props or {}).items() if value is not None}
        properties, sources_ = inputs(given)
        super().__init__(t, name, opts, properties=properties, sources=sources_)


class _SdkProvider(_FromShape, ProviderResource):
    def __init__(self, resource_name: str, *, opts: ResourceOptions | None = None, **given: object) -> None:
        token, properties, sources_ = _inputs(type(self).__name__, self.standin_shape, given)
        self.standin_properties = properties
        super().__init__(token, resource_name, opts, properties=properties, sources=sources_)


def _inputs(
    name: str, shape: ResourceType, given: Mapping[str, object]
) -> tuple[str, dict[str, Value], dict[str, frozenset[resources.Resource]]]:
    """Type token, properties and what each is made from."""
    values = _checked(name, shape.parameters, given)
    properties, sources_ = inputs(
        {
            parameter.wire: (_wrapped(values[key], parameter), parameter.type)
            for key, parameter in shape.parameters.items()
            if key in values
        }
    )
    return shape.token.format_map(values), {**properties, **shape.constants}, sources_


def _wrapped(value: object, parameter: Parameter) -> object:
    if parameter.as_json:
        return Output.from_input(value).apply(json.dumps)
    return Output.secret(value) if parameter.secret else value


def _checked(name: str, parameters: Mapping[str, Parameter], given: Mapping[str, object]) -> dict[str, object]:
    """What is sent of what is given, by parameter: no None, defaults filled in.

    Raises:
        TypeError: a parameter is unknown or missing, as with the SDK.
        NotStoodInError: the SDK would do more than pass a value on.
    """
    if unknown := given.keys() - parameters.keys():
        raise TypeError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    values: dict[str, object] = {}
    for key, parameter in parameters.items():
        value = given.get(key)
        if value is None:
            if parameter.required:
                raise TypeError(f"{name} needs {key}")
            if any(variable in os.environ for variable in parameter.environment):
                raise NotStoodInError(f"{name}.{key} from the environment")
            value = parameter.default
        elif parameter.refused:
            raise NotStoodInError(f"{name}.{key}: {parameter.refused}")
        if value is not None:
            values[key] = value if parameter.constant is None else parameter.constant
    return values


def _function(name: str, shape: Function) -> Callable[..., Output]:
    def call(*, opts: InvokeOutputOptions | None = None, **given: object) -> Output:
        if not (opts is None or isinstance(opts, InvokeOutputOptions)):
            raise NotStoodInError(f"{name} with {type(opts).__name__}")
        if unknown := given.keys() - set(shape.parameters):
            raise TypeError(f"{name} has no parameter {', '.join(sorted(unknown))}")
        for value in given.values():
            sent(value, ANY, set())
        subscription_id = resources.current().subscription_id
        if shape.token != _CLIENT or subscription_id is None:
            return Output(Data(known=False))
        answer = {"subscriptionId": subscription_id}
        return Output(Data(value=SimpleNamespace(**{key: answer.get(wire) for key, wire in shape.results.items()})))

    return call

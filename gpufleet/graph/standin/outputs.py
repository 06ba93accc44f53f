"""Outputs whose value is there at once, or never: in a plan, nothing is worth waiting for.

They combine as `pulumi.Output` does (pulumi/pulumi: sdk/python/lib/pulumi/output.py): what is made from an unknown
value is unknown, what is made from a secret is secret, and each knows the resources that it comes from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gpufleet.graph.standin.refusal import NotStoodInError

if TYPE_CHECKING:
    from gpufleet.graph.standin.resources import Resource


class _Unknown:
    """A part of a value that is not known before the resource exists."""


UNKNOWN_PART: Final = _Unknown()

_WAITING: Final = frozenset({"future", "resources", "is_known", "is_secret", "get", "recover"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """What there is to know of a value.

    Attributes:
        resources: where it comes from.
        value: None when it is not known.
        known: whether it is, in all its parts.
        secret: whether it must not be shown.
    """

    resources: frozenset[Resource] = frozenset()
    value: Any = None
    known: bool = True
    secret: bool = False


class Output:
    """A value with what the engine must know of it.

    Args:
        data: known only if the value has no unknown parts, whatever is said.
    """

    __slots__ = ("standin_data",)  # any other name is the value's

    def __init__(self, data: Data) -> None:
        self.standin_data = replace(data, known=False) if data.known and has_unknowns(data.value) else data

    def apply(self, func: Callable[[Any], object], run_with_unknowns: bool = False) -> Output:  # noqa: FBT001, FBT002 Pulumi's
        """What `func` makes of the value; unknown when the value is, and then `func` does not run."""
        data = self.standin_data
        if not (data.known or run_with_unknowns):
            return Output(replace(data, value=None))
        made = func(data.value if data.known or has_unknowns(data.value) else UNKNOWN_PART)
        if isinstance(made, Output):
            inner = made.standin_data
            return Output(
                replace(inner, resources=data.resources | inner.resources, secret=data.secret or inner.secret)
            )
        return Output(replace(data, value=_at_once(made), known=True))

    def __getattr__(self, name: str) -> Output:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _WAITING:
            raise NotStoodInError(f"Output.{name}")
        return self.apply(lambda value: value if value is UNKNOWN_PART else getattr(value, name), True)  # noqa: FBT003

    def __getitem__(self, key: Any) -> Output:  # noqa: ANN401 Pulumi's
        return self.apply(lambda value: value if value is UNKNOWN_PART else value[key], True)  # noqa: FBT003

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError("an Output can't be iterated over")

    def __str__(self) -> str:
        # The SDK gives a text that explains how wrong this is, and that would become part of a name.
        raise NotStoodInError("an Output as text")

    @staticmethod
    def from_input(value: object) -> Output:
        """A value as an output, with the outputs inside of mappings and lists taken out."""
        match value:
            case Output():
                return value.apply(Output.from_input, True)  # noqa: FBT003
            case dict() if value:
                if not all(isinstance(key, str) for key in value):
                    raise NotStoodInError("a mapping whose keys are not text")
                return Output.all(**value)
            case list() if value:
                return Output.all(*value)
            case tuple() if value:
                return Output.all(*value).apply(tuple)
        if hasattr(value, "standin_arguments"):
            raise NotStoodInError("an SDK's arguments as an Output")
        return Output(Data(value=_at_once(value)))

    @staticmethod
    def secret(value: object) -> Output:
        """A value as a secret output."""
        return Output(replace(Output.from_input(value).standin_data, secret=True))

    @staticmethod
    def all(*args: object, **kwargs: object) -> Output:
        """A list of all positional values, or a mapping of all named ones."""
        if args and kwargs:
            raise ValueError("Output.all takes positional or named values, not both")
        found = [Output.from_input(value).standin_data for value in (kwargs.values() if kwargs else args)]
        values = [data.value for data in found]
        return Output(
            Data(
                resources=frozenset().union(*(data.resources for data in found)),
                value=dict(zip(kwargs, values, strict=True)) if kwargs else values,
                known=all(data.known for data in found),
                secret=any(data.secret for data in found),
            )
        )

    @staticmethod
    def format(text: object, *args: object, **kwargs: object) -> Output:
        """`str.format` with outputs."""
        if args and kwargs:
            raise NotStoodInError("Output.format with positional and named values")
        return Output.from_input(text).apply(
            lambda pattern: Output.all(*args, **kwargs).apply(
                lambda values: pattern.format(**values) if kwargs else pattern.format(*values)
            )
        )


def has_unknowns(value: object) -> bool:
    """Whether a value is unknown in any part."""
    match value:
        case dict():
            return any(has_unknowns(item) for item in value.values())
        case list():
            return any(has_unknowns(item) for item in value)
    return value is UNKNOWN_PART


def _at_once(value: object) -> object:
    if inspect.isawaitable(value):
        raise NotStoodInError("a value to wait for")
    return value

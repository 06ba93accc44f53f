"""What the SDKs' classes and functions take and give, as data; kept between runs, for reading them takes time."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

_READERS: Final = ("shapes", "sources", "constructors", "types")
"""The modules that the files' content comes from; a change in one makes all that were written before worthless."""

Constant: TypeAlias = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Type:
    """The type of a property, as far as it decides what becomes of a value.

    Attributes:
        kind: `any`; `scalar`; `list` and `map` of `items`; `other`: the SDK's arguments, an enumeration or a choice.
        items: type of the elements.
    """

    kind: str
    items: Type | None = None


ANY: Final = Type(kind="any")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One that a constructor takes, and the property that comes of it.

    Attributes:
        wire: the property by the provider's own name, "" when the SDK sends none.
        type: its type.
        required: whether None is refused.
        default: sent when None is given.
        constant: sent in place of whatever is given.
        as_json: whether the value is sent as JSON text.
        secret: whether the value is made a secret.
        environment: variables that stand in for None when one of them is set.
        refused: why only the SDK can take a value; "" when it need not.
    """

    wire: str
    type: Type = ANY
    required: bool = False
    default: Constant | None = None
    constant: Constant | None = None
    as_json: bool = False
    secret: bool = False
    environment: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class ArgumentsType:
    """A class of arguments: its parameters by Python name."""

    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """A class of resources.

    Attributes:
        token: Pulumi type token, a provider's package for providers. May name parameters: `kubernetes:{api_version}`.
        provider: whether it is a provider.
        parameters: by Python name.
        constants: properties that are always sent.
        outputs: provider's name of each output, by Python name.
    """

    token: str
    provider: bool
    parameters: Mapping[str, Parameter]
    constants: Mapping[str, Constant]
    outputs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Function:
    """A provider's function in the form that takes and gives outputs.

    Attributes:
        token: Pulumi token.
        parameters: names in Python.
        results: provider's name of each result, by Python name.
    """

    token: str
    parameters: list[str]
    results: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Enumeration:
    """An enumeration of texts, by Python name."""

    members: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class SubPackage:
    """A package in a package."""


Shape: TypeAlias = ArgumentsType | ResourceType | Function | Enumeration | SubPackage

_KINDS: Final[Mapping[str, type[Shape]]] = {
    kind.__name__: kind for kind in (ArgumentsType, ResourceType, Function, Enumeration, SubPackage)
}


@dataclass
class Shapes:
    """Shapes by full Python name, `pulumi_azure_native.network.SubnetArgs`, in a file.

    Args:
        file: where they are kept; None for nowhere. One that is damaged or missing is written anew.
        found: those that are known.
        new: whether there are some that the file does not have.
    """

    file: Path | None
    found: dict[str, Shape] = field(default_factory=dict)
    new: bool = False

    @classmethod
    def read(cls, file: Path | None) -> Shapes:
        """All of a file, none of one that can't be trusted."""
        found: dict[str, Shape] = {}
        if file is not None:
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
                digest, _, text = file.read_text(encoding="utf-8").partition("\n")
                if digest == _digest(text):
                    found = {name: _shape(entry) for name, entry in json.loads(text).items()}
        return cls(file, found)

    def add(self, name: str, shape: Shape) -> None:
        """Keep one more."""
        self.found[name] = shape
        self.new = True

    def write(self) -> None:
        """Write the file if there is something new; whole, or not at all."""
        if self.file is None or not self.new:
            return
        text = json.dumps({name: _entry(shape) for name, shape in sorted(self.found.items())}, separators=(",", ":"))
        with contextlib.suppress(OSError):  # it costs time alone
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryDirectory(dir=self.file.parent) as beside:
                draft = Path(beside) / self.file.name
                draft.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
                draft.replace(self.file)


def _digest(text: str) -> str:
    return hashlib.sha256(f"{_form()}\n{text}".encode()).hexdigest()


@cache
def _form() -> str:
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in _READERS)).hexdigest()


def _entry(shape: Shape) -> dict[str, Any]:
    entry: dict[str, Any] = {"is": type(shape).__name__}
    for name, value in vars(shape).items():
        entry[name] = (
            {key: _sparse(parameter) for key, parameter in value.items()}
            if name == "parameters" and isinstance(value, Mapping)
            else value
        )
    return entry


def _sparse(parameter: Parameter) -> dict[str, Any]:
    return {
        field.name: _type_entry(value) if isinstance(value, Type) else value
        for field in dataclasses.fields(parameter)
        if (value := getattr(parameter, field.name)) != field.default
    }


def _type_entry(type_: Type) -> str:
    return type_.kind if type_.items is None else f"{type_.kind} {_type_entry(type_.items)}"


def _shape(entry: dict[str, Any]) -> Shape:
    kind = _KINDS[entry.pop("is")]
    if isinstance(parameters := entry.get("parameters"), dict):
        entry["parameters"] = {name: _parameter(content) for name, content in parameters.items()}
    return kind(**entry)


def _parameter(content: dict[str, Any]) -> Parameter:
    if "type" in content:
        content["type"] = _type(content["type"])
    if "environment" in content:
        content["environment"] = tuple(content["environment"])
    return Parameter(**content)


def _type(text: str) -> Type:
    kind, _, items = text.partition(" ")
    return Type(kind=kind, items=_type(items) if items else None)

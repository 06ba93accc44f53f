"""Check a resource's inputs against its contract: required and unknown properties, types, enums, at every depth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gpufleet.catalog.nearest import nearest_name
from sandbox.contract.model import Array, Contract, Enumeration, Map, ObjectShape, OneOf, Reference, Scalar, Shape
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, Secret, Value

# Values that Azure takes and the SDK's enum lacks, by the enum's name in the SDK, each with its source.
EXTRA_ENUM_VALUES: Mapping[str, tuple[str, ...]] = {
    # Ubuntu 24.04 node images: used by Azure/ai-infrastructure-on-azure (infrastructure_references/aks) and documented
    # in AKS docs "upgrade-os-version"; the stable API's enum does not list it, and the service takes unlisted values
    # there.
    "OSSKU": ("Ubuntu2404",),
    # Azure/prometheus-collector AddonBicepTemplate; the enumeration is open, and DataFlow's streams are any stream's.
    "KnownDataFlowStreams": ("Microsoft-PrometheusMetrics",),
}

_EXTENSION = "x-kubernetes-"
"""How a definition's schema names Kubernetes' extensions. The SDK has an underscore for each hyphen; the provider takes
both, as manifests have the hyphens."""
_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*")
_ARTICLE = {
    "string": "a string",
    "boolean": "a boolean",
    "number": "a number",
    "array": "an array",
    "object": "an object",
}


def check_inputs(contract: Contract, inputs: Properties) -> list[Failure]:
    """Everything wrong with ``inputs``, in order of appearance; empty when the contract holds.

    Unknown values and secrets pass as what they will turn out to be; null counts as absent. Keys starting with ``__``
    are the engine's.
    """
    failures: list[Failure] = []
    _Checker(contract.types, failures).object(contract.inputs, inputs, "")
    return failures


def property_path(base: str, key: str) -> str:
    """``base`` extended by a key, in the engine's notation (``a.b``, ``a["b.c"]``)."""
    if not _PLAIN_KEY.fullmatch(key):
        return f'{base}["{key}"]'
    return f"{base}.{key}" if base else key


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the nearest known word, or nothing."""
    near = nearest_name(word, known)
    return f"; did you mean '{near}'?" if near else ""


def _kind_of(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


class _Checker:
    def __init__(self, types: Mapping[str, ObjectShape], failures: list[Failure]) -> None:
        self._types = types
        self._failures = failures

    def _fail(self, path: str, reason: str) -> None:
        self._failures.append(Failure(path, reason))

    def object(self, shape: ObjectShape, value: Properties, path: str) -> None:
        """Check the properties of an object."""
        for name in shape.properties:
            if name in shape.required and value.get(name) is None:
                missing = property_path(path, name)
                self._fail(missing, f"missing required property '{missing}'")
        for name, item in value.items():
            known = shape.properties.get(name)
            if known is None and name.startswith(_EXTENSION):
                known = shape.properties.get(name.replace("-", "_"))
            if known is not None:
                self.value(known, item, property_path(path, name))
            elif not name.startswith("__"):
                where = property_path(path, name)
                self._fail(where, f"unknown property '{where}'{did_you_mean(name, shape.properties)}")

    def value(self, shape: Shape, value: Value, path: str) -> None:
        """Check one value."""
        if isinstance(value, Secret):
            value = value.value
        if value is None or value is UNKNOWN:
            return
        match shape:
            case Scalar(name):
                self._scalar(name, value, path)
            case Enumeration(name, values):
                self._enumeration(name, values, value, path)
            case Array(item):
                self._array(item, value, path)
            case Map(item):
                self._map(item, value, path)
            case Reference(name):
                if self._is(dict, "object", value, path):
                    self.object(self._types[name], value, path)
            case OneOf(options):
                self._one_of(options, value, path)

    def _array(self, item: Shape, value: Value, path: str) -> None:
        if self._is(list, "array", value, path):
            for index, element in enumerate(value):
                self.value(item, element, f"{path}[{index}]")

    def _map(self, item: Shape, value: Value, path: str) -> None:
        if self._is(dict, "object", value, path):
            for key, element in value.items():
                self.value(item, element, property_path(path, key))

    def _is(self, kind: type, name: str, value: Value, path: str) -> bool:
        if isinstance(value, kind):
            return True
        self._fail(path, f"'{path}' should be of type '{name}' but got {_ARTICLE[_kind_of(value)]}")
        return False

    def _scalar(self, name: str, value: Value, path: str) -> None:
        kind = _kind_of(value)
        if name in {"any", kind} or (name == "integer" and isinstance(value, int) and kind == "number"):
            return
        if name == "integer" and kind == "number":
            self._fail(path, f"'{path}' must be an integer but got {value}")
        else:
            self._fail(path, f"'{path}' should be of type '{name}' but got {_ARTICLE[kind]}")

    def _enumeration(self, name: str, values: tuple[str, ...], value: Value, path: str) -> None:
        if not self._is(str, "string", value, path):
            return
        allowed = values + EXTRA_ENUM_VALUES.get(name, ())
        if value not in allowed:
            listed = ", ".join(repr(item) for item in allowed)
            self._fail(path, f"'{path}' must be one of {listed}, but got '{value}'{did_you_mean(value, allowed)}")

    def _one_of(self, options: tuple[Shape, ...], value: Value, path: str) -> None:
        fewest: list[Failure] | None = None
        for option in options:
            attempt: list[Failure] = []
            _Checker(self._types, attempt).value(option, value, path)
            if not attempt:
                return
            if fewest is None or len(attempt) < len(fewest):
                fewest = attempt
        self._failures.extend(fewest or ())

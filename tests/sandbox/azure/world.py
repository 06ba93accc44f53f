"""The world of rules.yaml: one resource of every type, to break rules in."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.model import ResourceType
from sandbox.values import Properties, reveal
from tests.sandbox.conftest import Azure

_FOLDER = Path(__file__).parent
_REFERENCE = re.compile(r"@(\w+)(?:\.(\w+))?(/.*)?")


@cache
def table(file: str) -> dict[str, Any]:
    """A table of this folder."""
    found: dict[str, Any] = yaml.safe_load((_FOLDER / file).read_text(encoding="utf-8"))
    return found


def world() -> Mapping[str, tuple[str, Properties]]:
    """Type and inputs of every resource, with references unresolved."""
    return {name: (kind, inputs) for name, (kind, inputs) in table("rules.yaml")["world"].items()}


def kind_of(name: str) -> ResourceType:
    """The resource type of a resource of the world."""
    return registry.by_token(f"azure-native:{world()[name][0]}")


class World:
    """The resources in a cloud, all made or made as they are needed."""

    def __init__(self, azure: Azure) -> None:
        self.azure = azure
        self.ids: dict[str, str] = {}

    def make(self, *names: str) -> None:
        """Create resources with whatever they need, each once."""
        for name in names:
            if name not in self.ids:
                for needed in self.needs(name):
                    self.make(needed)
                kind, inputs = world()[name]
                self.ids[name] = self.azure.create(kind, **self.resolve(inputs)).id

    def needs(self, name: str) -> Iterator[str]:
        """What a resource refers to, and what its path is below."""
        kind, inputs = world()[name]
        yield from (found[1] for found in _references(inputs))
        own = kind_of(name)
        type_names = arm.parameters(arm.type_of(own.path))
        path = tuple(key for key in own.path_parameters[:-1] if key not in type_names)
        for other, (_, given) in world().items():
            if other == name:
                break
            below = kind_of(other).path_parameters
            if below == path and all(given.get(key) == inputs.get(key) for key in below):
                yield other
        if kind == "cdn:Route":
            yield "origin"
        if kind == "containerservice:ManagedCluster":
            yield "assignment"
        if "hsm" in inputs:
            yield from ("account_role", "blob_role")

    def inputs(self, name: str, change: Properties | None = None) -> Properties:
        """A resource's inputs with a change, references resolved."""
        found: Properties = self.resolve(changed(world()[name][1], change or {}))
        return found

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 JSON
        """A value with references resolved: ids of what was made; the reference itself when it was not."""
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is None or found[1] not in world():
            return value
        name, output, rest = found.groups()
        self.make(name)
        if output is not None:
            return reveal(self.azure.manager.require(self.ids[name]).outputs[output])
        return self.ids[name] + (rest or "")


def _references(value: Any) -> Iterator[re.Match[str]]:  # noqa: ANN401 JSON
    if isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, str) and (found := _REFERENCE.fullmatch(value)) and found[1] in world():
        yield found


def changed(inputs: Properties, change: Properties) -> Properties:
    """Inputs with a change: keys may be paths such as `a.b` and `a[0].b`; None takes a property away."""
    result = copy.deepcopy(inputs)
    for path, value in change.items():
        *steps, last = re.findall(r"\w+|\[\d+\]", path) if path not in inputs else [path]
        target: Any = result
        for step, following in zip(steps, [*steps, last][1:], strict=True):
            key: Any = int(step[1:-1]) if step.startswith("[") else step
            if isinstance(target, dict):
                target = target.setdefault(key, [] if following.startswith("[") else {})
            else:
                target = target[key]
        key = int(last[1:-1]) if last.startswith("[") else last
        if value is None and isinstance(target, dict):
            target.pop(key, None)
        else:
            target[key] = copy.deepcopy(value)
    return result

"""The resource graph: what the program registers with the engine, whoever recorded it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Final, TypeAlias

STACK_TYPE: Final = "pulumi:pulumi:Stack"


class Hidden(Enum):
    """What stands in for a value that cannot be shown. Not text, so that nothing takes it for a size or a name."""

    UNKNOWN = "[unknown]"
    SECRET = "[secret]"  # noqa: S105 a mask, not a secret

    def __repr__(self) -> str:
        return str(self.value)


UNKNOWN: Final = Hidden.UNKNOWN
"""A value that Azure gives and that nobody knows before the resource exists."""
SECRET: Final = Hidden.SECRET
"""A value that the program or a provider marked as secret."""

Value: TypeAlias = "bool | int | float | str | Hidden | list[Value] | dict[str, Value] | None"
"""A property's value. A mapping or a list may hold `UNKNOWN` or `SECRET` at any depth."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One resource or component.

    Attributes:
        urn: `urn:pulumi:<stack>::<project>::<type>[$<type>…]::<name>`.
        type: Pulumi type token, for example `azure-native:containerservice:AgentPool`.
        name: logical name in the program.
        parent: URN of the component that it belongs to, "" for the stack itself.
        custom: True when a provider manages it, False for a component.
        properties: inputs that the program gave, by the provider's own names (`vmSize`, `maxCount`); read only. What
            a provider adds by itself (a random name, `azureApiVersion`) is not among them. Components have what they
            say of themselves.
        property_dependencies: for each property that is made from other resources' outputs, their URNs, sorted. The way
            from a pool's unknown `resourceName` to its cluster.
        dependencies: URNs that must exist before it, sorted: `property_dependencies` and what the program asked for.
        provider: URN of the provider that the program gave it, "" for the default one.
        protect: True when the engine refuses to delete it.
        retain_on_delete: True when deleting it leaves it in the cloud.
        deleted_with: URN of the resource whose deletion deletes this one too, else "".
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    properties: Mapping[str, Value] = field(default_factory=dict)
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    provider: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""

    def at(self, *path: str | int) -> Value:
        """The property at a path, such as `node.at("gpuProfile", "driver")`.

        Returns:
            None when any part of the path is missing; `UNKNOWN` or `SECRET` when a value on the way is.
        """
        value: Value = dict(self.properties)
        for part in path:
            if isinstance(value, Hidden):
                return value
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value):
                value = value[part]
            else:
                return None
        return value


@dataclass(frozen=True)
class Graph:
    """All nodes of one stack, the stack itself among them, sorted by URN. Default providers are left out.

    Attributes:
        nodes: any iterable; sorted and checked on the way in.

    Raises:
        ValueError: two nodes have one URN.
    """

    nodes: tuple[Node, ...]

    def __init__(self, nodes: Iterable[Node]) -> None:
        ordered = tuple(sorted(nodes, key=lambda node: node.urn))
        for before, after in itertools.pairwise(ordered):
            if before.urn == after.urn:
                raise ValueError(f"two resources have the URN {before.urn}")
        object.__setattr__(self, "nodes", ordered)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def node(self, urn: str) -> Node:
        """The node of a URN. Raises KeyError when there is none."""
        return self._by_urn[urn]

    def find(self, urn: str) -> Node | None:
        """The node of a URN, or None."""
        return self._by_urn.get(urn)

    def of(self, *types: str) -> tuple[Node, ...]:
        """All nodes of these types, given in full (`azure-native:containerservice:AgentPool`)."""
        return tuple(node for node in self.nodes if node.type in types)

    def children(self, node: Node) -> tuple[Node, ...]:
        """What belongs to it directly."""
        return self._by_parent.get(node.urn, ())

    def ancestors(self, node: Node) -> Iterator[Node]:
        """What it belongs to, the nearest first, the stack last. Stops where a parent is not in the graph."""
        seen = {node.urn}
        while (above := self._by_urn.get(node.parent)) is not None and above.urn not in seen:
            seen.add(above.urn)
            yield above
            node = above

    def ancestor(self, node: Node, type_: str) -> Node | None:
        """The nearest ancestor of a type, such as `gpufleet:training:TrainingFabric`."""
        return next((above for above in self.ancestors(node) if above.type == type_), None)

    def sources(self, node: Node, property_: str, type_: str = "") -> tuple[Node, ...]:
        """The nodes whose outputs make up a property: for a pool's `resourceName` its cluster.

        Args:
            node: whose property it is.
            property_: its name.
            type_: when given, only nodes of this type.
        """
        found = (self._by_urn.get(urn) for urn in node.property_dependencies.get(property_, ()))
        return tuple(source for source in found if source is not None and type_ in ("", source.type))

    @cached_property
    def _by_urn(self) -> dict[str, Node]:
        return {node.urn: node for node in self.nodes}

    @cached_property
    def _by_parent(self) -> dict[str, tuple[Node, ...]]:
        groups: dict[str, list[Node]] = {}
        for node in self.nodes:
            groups.setdefault(node.parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in groups.items()}

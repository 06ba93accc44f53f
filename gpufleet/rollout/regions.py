"""Which region each change of a run is in, and which of them touch model servers that run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gpufleet.catalog.type_tokens import REGION, plain_type
from gpufleet.graph import Graph, Node

NOWHERE = ""
"""Region of what is in none: the environment itself, and what all regions share."""
SERVER_LABEL = "gpufleet.io/server"
"""Label on the objects of a model server: its name (components.serving_names)."""
_SERVERS = ("Deployment", "LeaderWorkerSet", "Workspace", "InferenceSet")
"""Kinds whose pods are model servers: built-in, of LeaderWorkerSet and of KAITO."""
_UNTOUCHED = frozenset({"same", "read", "refresh", "discard"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a run does to one resource.

    Attributes:
        urn, type, parent: of the resource; the parent is a URN.
        op: the engine's word: create, update, delete, replace, same, ...
    """

    urn: str
    type: str
    parent: str
    op: str

    @property
    def name(self) -> str:
        """Logical name in the program."""
        return self.urn.rsplit("::", 1)[-1]


def by_region(planned: Iterable[Change], before: Graph) -> dict[str, tuple[str, ...]]:
    """URNs of what changes, by inference region, in the order given; of what is in no region under `NOWHERE`.

    Args:
        planned: every resource of a preview, unchanged ones too.
        before: the stack as it is, for the parents of what goes.
    """
    every = list(planned)
    parents = {node.urn: (node.type, node.name, node.parent) for node in before}
    parents |= {change.urn: (change.type, change.name, change.parent) for change in every}
    found: dict[str, dict[str, None]] = {}
    for change in every:
        if change.op not in _UNTOUCHED:
            found.setdefault(_region(change.urn, parents), {})[change.urn] = None
    return {region: tuple(urns) for region, urns in found.items()}


def servers_of(graph: Graph) -> dict[str, str]:
    """The model servers of a stack: region by URN of what runs their pods."""
    return {node.urn: region for node in graph if _is_server(node) and (region := region_of(node, graph)) != NOWHERE}


def region_of(node: Node, graph: Graph) -> str:
    """Inference region of a resource, `NOWHERE` outside of any."""
    return next((above.name for above in graph.ancestors(node) if plain_type(above.type) == REGION), NOWHERE)


def touched(planned: Iterable[Change], before: Graph) -> dict[str, tuple[str, ...]]:
    """Model servers that run and that a run changes, replaces or deletes: names by region.

    One that is made is none of them: nobody is served by it yet.
    """
    running = servers_of(before)
    found: dict[str, dict[str, None]] = {}
    for change in planned:
        if change.op not in _UNTOUCHED and (region := running.get(change.urn)) is not None:
            found.setdefault(region, {})[server_name(before.node(change.urn))] = None
    return {region: tuple(names) for region, names in found.items()}


def server_name(node: Node) -> str:
    """Name of a model server, as its label has it."""
    label = _labels(node).get(SERVER_LABEL)
    return label if isinstance(label, str) else node.name


def ordered(regions: Sequence[str], first: Sequence[str]) -> tuple[str, ...]:
    """The regions in the order to go: those named first, then the rest as they are."""
    return tuple(dict.fromkeys([*(name for name in first if name in regions), *regions]))


def _region(urn: str, parents: Mapping[str, tuple[str, str, str]]) -> str:
    seen: set[str] = set()
    while urn in parents and urn not in seen:
        seen.add(urn)
        type_, name, parent = parents[urn]
        if plain_type(type_) == REGION:
            return name
        urn = parent
    return NOWHERE


def _is_server(node: Node) -> bool:
    return (
        node.type.startswith("kubernetes:")
        and node.type.rsplit(":", 1)[-1] in _SERVERS
        and SERVER_LABEL in _labels(node)
    )


def _labels(node: Node) -> Mapping[str, object]:
    labels = node.at("metadata", "labels")
    return labels if isinstance(labels, Mapping) else {}

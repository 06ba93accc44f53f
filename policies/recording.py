"""What the engine shows to a policy pack: each resource's inputs before it is made, the stack at the end.

At the end it shows *outputs*, which Azure normalises and fills in, so the rules would judge another graph than the one
that was planned. What they see is therefore made of the inputs as recorded, with the parents and dependencies that
only the end tells.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from pulumi.runtime.proto import analyzer_pb2

from gpufleet.catalog.type_tokens import ENVIRONMENT, plain_type
from gpufleet.graph import UNKNOWN, Graph, Node
from gpufleet.graph.structs import mapping
from gpufleet.graph.wire import default_provider, properties, provider_urn
from gpufleet.spec import Environment, SpecError, parse_environment
from policies.view import SPECIFICATION, View

_PROVIDER = "pulumi:providers:"
_DEFAULTS = "__defaults"
# What a provider, or the SDK for a provider, adds to the inputs without a note in `__defaults`; no rule reads them.
_ADDED = frozenset({"azureApiVersion"})
_ADDED_TO_PROVIDERS = frozenset({"version"})


class Recording:
    """The inputs of every resource that the engine has asked about. May be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nodes: dict[str, Node] = {}
        self._defaulted: dict[str, frozenset[str]] = {}

    def defaults(self, request: analyzer_pb2.AnalyzeRequest) -> None:
        """Note which inputs the provider added: only what asks for remediation still says so."""
        added = mapping(request.properties).get(_DEFAULTS)
        with self._lock:
            self._defaulted[request.urn] = frozenset(added) if isinstance(added, list) else frozenset()

    def record(self, request: analyzer_pb2.AnalyzeRequest) -> View:
        """Take a resource's inputs.

        Returns:
            as `view`.

        Raises:
            TypeError: a property is nothing that JSON has.
        """
        node = self._node(request)
        with self._lock:
            self._nodes[node.urn] = node
        return self._above(node)

    def view(self, request: analyzer_pb2.AnalyzeRequest) -> View:
        """A resource and what it belongs to, which gives it its label and its place in the specification.

        The engine has always asked about that before.

        Raises:
            TypeError: a property is nothing that JSON has.
        """
        return self._above(self._node(request))

    def _node(self, request: analyzer_pb2.AnalyzeRequest) -> Node:
        with self._lock:
            added = self._defaulted.get(request.urn, frozenset()) | _ADDED
        if request.type.startswith(_PROVIDER):
            added |= _ADDED_TO_PROVIDERS
        inputs = {key: value for key, value in properties(mapping(request.properties)).items() if key not in added}
        return Node(
            urn=request.urn,
            type=request.type,
            name=request.urn.rsplit("::", 1)[-1],
            parent=request.options.parent,
            custom=request.HasField("provider") or request.type.startswith(_PROVIDER),
            properties=inputs,
            provider=provider_urn(f"{request.provider.urn}::id") if request.HasField("provider") else "",
            protect=request.options.protect,
        )

    def _above(self, node: Node) -> View:
        nodes = [node]
        with self._lock:
            while (above := self._nodes.get(nodes[-1].parent)) is not None and above not in nodes:
                nodes.append(above)
        return _view(nodes)

    def stack(self, resources: Iterable[analyzer_pb2.AnalyzerResource]) -> tuple[View, tuple[str, ...]]:
        """The whole stack.

        Returns:
            it, and the URNs of resources whose inputs nobody has seen: all that is known of them is unknown.
        """
        with self._lock:
            recorded = dict(self._nodes)
        # A default provider is the engine's own, and no plan has it.
        listed = [resource for resource in resources if not default_provider(resource.urn)]
        view = _view([_placed(recorded.get(resource.urn) or _unseen(resource), resource) for resource in listed])
        return view, tuple(sorted(resource.urn for resource in listed if resource.urn not in recorded))


def _placed(node: Node, resource: analyzer_pb2.AnalyzerResource) -> Node:
    by_property = {key: tuple(sorted(found.urns)) for key, found in resource.propertyDependencies.items()}
    return replace(
        node,
        parent=resource.parent,
        property_dependencies=dict(sorted(by_property.items())),
        dependencies=tuple(sorted(resource.dependencies)),
        protect=resource.options.protect,
    )


def _unseen(resource: analyzer_pb2.AnalyzerResource) -> Node:
    return Node(
        urn=resource.urn,
        type=resource.type,
        name=resource.urn.rsplit("::", 1)[-1],
        parent=resource.parent,
        custom=resource.HasField("provider") or resource.type.startswith(_PROVIDER),
        properties=dict.fromkeys(properties(mapping(resource.properties)), UNKNOWN),
        provider=provider_urn(f"{resource.provider.urn}::id") if resource.HasField("provider") else "",
    )


def _view(nodes: Iterable[Node]) -> View:
    graph = Graph(nodes)
    texts = [node.properties.get(SPECIFICATION) for node in graph if plain_type(node.type) == ENVIRONMENT]
    return View(graph=graph, given=_environment(texts[0]) if texts and isinstance(texts[0], str) else None)


@lru_cache(maxsize=4)
def _environment(text: str) -> Environment | None:
    """The specification that the environment says it was made from; None leaves it to the view to say why not."""
    try:
        return parse_environment(json.loads(text))
    except (ValueError, RecursionError, SpecError):
        return None

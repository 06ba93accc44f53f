"""An engine for one pack: real requests to the analyzer service, made of a resource graph."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2

from gpufleet.graph import SECRET, UNKNOWN, Graph, Node
from gpufleet.graph.structs import mapping
from gpufleet.graph.wire import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_TEXT
from policies.analyzer import Analyzer
from policies.configuration import ALL, LEVEL
from policies.rule import AnyRule

HUSH = "hush-c0ffee"
"""What every secret says; no violation may."""
TODAY = dt.date(2026, 12, 1)
_CONTEXT: Any = grpc.ServicerContext  # the service asks nothing of it


@dataclass(frozen=True, kw_only=True)
class Said:
    """A violation as the engine gets it."""

    policy: str
    verdict: str
    """fail, undecided, or waived; for the pack's own policies "own"."""
    urn: str
    level: str
    text: str


def show(
    graph: Graph,
    rules: Iterable[AnyRule],
    configuration: Mapping[str, Any] | None = None,
    *,
    stacks: Path = Path("/nowhere"),
    today: dt.date = TODAY,
    unseen: frozenset[str] = frozenset(),
    outputs: Mapping[str, Any] | None = None,
) -> list[Said]:
    """Everything that the packs of these rules say of a stack.

    Args:
        graph: what the program gave.
        rules: all there are.
        configuration: `--policy-pack-config`.
        stacks: folder of stack files and waivers.
        today: for waivers.
        unseen: URNs that the engine lists at the end and has never asked about.
        outputs: what Azure makes of every resource's properties, on top of the inputs.
    """
    rules = list(rules)
    said: list[Said] = []
    for pack in sorted({rule.pack for rule in rules}):
        analyzer = Analyzer(pack, rules, stacks=stacks, today=lambda: today)
        analyzer.Configure(_configuration(analyzer, configuration or {}), _CONTEXT)
        found: list[analyzer_pb2.AnalyzeDiagnostic] = []
        for node in parents_first(graph):
            if node.urn not in unseen:
                asked = request(graph, node)
                analyzer.Remediate(asked, _CONTEXT)
                found += analyzer.Analyze(asked, _CONTEXT).diagnostics
        stack = analyzer_pb2.AnalyzeStackRequest(resources=[_resource(graph, node, outputs or {}) for node in graph])
        found += analyzer.AnalyzeStack(stack, _CONTEXT).diagnostics
        said += map(heard, found)
    return said


def heard(diagnostic: analyzer_pb2.AnalyzeDiagnostic) -> Said:
    """A violation in the terms of the rules."""
    level = analyzer_pb2.EnforcementLevel.Name(diagnostic.enforcementLevel).lower()
    return said_of(diagnostic.policyName, level, diagnostic.urn, diagnostic.message)


def said_of(policy: str, level: str, urn: str, message: str) -> Said:
    """The same of the parts that the engine's events have."""
    text = message.partition("\n")[2]
    if policy == "undecided":
        rule, _, text = text.partition(" ")
        return Said(policy=rule, verdict="undecided", urn=urn, level=level, text=text)
    verdict = "fail" if re.fullmatch(r"[A-Z]+\d{3}", policy) else "own"
    if text.startswith("undecided: "):
        verdict = "undecided"
    if text.startswith("waived until "):
        verdict = "waived"
    return Said(policy=policy, verdict=verdict, urn=urn, level=level, text=text)


def wire(value: object) -> Any:  # noqa: ANN401 what a Struct takes
    """A property as the engine sends it."""
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if value is SECRET:
        return {SIGNATURE: SECRET_SIGNATURE, "value": HUSH}
    if isinstance(value, dict):
        return {key: wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    return value


def struct(properties: Mapping[str, object]) -> Struct:
    """Properties as a message: every number is a float there."""
    message = Struct()
    message.update({key: wire(value) for key, value in properties.items()})
    return message


def parents_first(graph: Graph) -> list[Node]:
    """The order in which the engine asks."""
    return sorted(graph, key=lambda node: (len(list(graph.ancestors(node))), node.urn))


def _parts(graph: Graph, node: Node) -> dict[str, Any]:
    above = graph.find(node.provider)
    provider = None
    if node.custom and not node.type.startswith("pulumi:providers:"):
        urn = above.urn if above else f"urn:pulumi:s::p::pulumi:providers:{node.type.partition(':')[0]}::default_1_0"
        provider = analyzer_pb2.AnalyzerProviderResource(
            urn=urn, type=urn.split("::")[2], name=urn.rsplit("::", 1)[1], properties=struct({"kubeconfig": SECRET})
        )
    return {
        "urn": node.urn,
        "type": node.type,
        "name": node.name,
        "provider": provider,
        "options": analyzer_pb2.AnalyzerResourceOptions(protect=node.protect, parent=node.parent),
    }


_REQUESTS: dict[int, tuple[Node, analyzer_pb2.AnalyzeRequest]] = {}
"""By node, which is kept so that its id stays its own: most examples share most of theirs."""


def request(graph: Graph, node: Node) -> analyzer_pb2.AnalyzeRequest:
    """What the engine asks before it makes a resource."""
    if id(node) not in _REQUESTS:
        _REQUESTS[id(node)] = (node, made(graph, node))
    return _REQUESTS[id(node)][1]


def made(graph: Graph, node: Node) -> analyzer_pb2.AnalyzeRequest:
    """The same, anew."""
    added = {"azureApiVersion": "2025-09-01", "generatedName": "x-1a2b", "__defaults": ["generatedName"]}
    more = added if node.type.startswith("azure-native:") else {}
    return analyzer_pb2.AnalyzeRequest(properties=struct({**node.properties, **more}), **_parts(graph, node))


def _resource(graph: Graph, node: Node, outputs: Mapping[str, Any]) -> analyzer_pb2.AnalyzerResource:
    asked = request(graph, node)
    return analyzer_pb2.AnalyzerResource(
        urn=node.urn,
        type=node.type,
        name=node.name,
        provider=asked.provider if asked.HasField("provider") else None,
        options=asked.options,
        properties=struct({**node.properties, **outputs}) if outputs else asked.properties,
        parent=node.parent,
        dependencies=node.dependencies,
        propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
            for key, urns in node.property_dependencies.items()
        },
    )


def _configuration(analyzer: Analyzer, given: Mapping[str, Any]) -> analyzer_pb2.ConfigureAnalyzerRequest:
    """The engine's own work: schemas' defaults, then `all`, then each policy's (resource/analyzer/config.go)."""
    entries: dict[str, tuple[str, dict[str, Any]]] = {}
    for policy in analyzer.GetAnalyzerInfo(Empty(), _CONTEXT).policies:
        properties: dict[str, Any] = mapping(policy.configSchema.properties)
        filled = {key: one["default"] for key, one in properties.items() if "default" in one}
        level = analyzer_pb2.EnforcementLevel.Name(policy.enforcementLevel).lower()
        entries[policy.name] = (given.get(ALL, level), filled)
    for name, entry in given.items():
        level, filled = entries.get(name, ("", {}))
        settings = {key: value for key, value in entry.items() if key != LEVEL} if isinstance(entry, dict) else {}
        level = entry.get(LEVEL, level) if isinstance(entry, dict) else entry
        assert level, f"the engine refuses {name} without a level"
        entries[name] = (level, {**filled, **settings})
    filled_in = analyzer_pb2.ConfigureAnalyzerRequest()
    for name, (level, settings) in entries.items():
        filled_in.policyConfig[name].enforcementLevel = analyzer_pb2.EnforcementLevel.Value(level.upper())
        filled_in.policyConfig[name].properties.update(settings)
    return filled_in

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import analyzer_pb2

from gpufleet.errors import ConfigurationError
from gpufleet.graph import SECRET, UNKNOWN, Node
from gpufleet.graph.structs import mapping
from policies import configuration, examples
from policies.analyzer import Analyzer
from policies.catalogue import rules
from policies.evaluate import Verdict
from policies.examples import Example
from policies.rule import Enforcement, Pack
from policies.view import AGENT_POOL, CLUSTER
from tests.policies.engine import HUSH, made, parents_first, request, struct

_CONTEXT: Any = grpc.ServicerContext
_TRAINING = Example(title="training", base="training", verdict=Verdict.PASS)
OWN = {
    "owner": "ml-platform",
    "cost-center": "cc-1",
    "environment": "lab",
    "class": "standard",
    "managed-by": "gpufleet",
}


def _mended(
    properties: dict[str, Any], type_: str = AGENT_POOL, level: str = "REMEDIATE"
) -> list[analyzer_pb2.Remediation]:
    """What the cost pack rewrites of the first resource of a type, with `properties` on top of its own."""
    graph = examples.view(_TRAINING).graph
    analyzer = Analyzer(Pack.COST, rules())
    analyzer.Configure(
        analyzer_pb2.ConfigureAnalyzerRequest(
            policyConfig={
                "COST008": analyzer_pb2.PolicyConfig(
                    enforcementLevel=analyzer_pb2.EnforcementLevel.Value(level), properties=struct({})
                )
            }
        ),
        _CONTEXT,
    )
    for node in parents_first(graph):
        if node.type == type_:
            changed = Node(**{**vars(node), "properties": {**node.properties, **properties}})
            return list(analyzer.Remediate(request(graph, changed), _CONTEXT).remediations)
        analyzer.Remediate(request(graph, node), _CONTEXT)
        analyzer.Analyze(made(graph, node), _CONTEXT)
    raise AssertionError(type_)


def test_missing_tags_are_added_and_everything_else_stays() -> None:
    (one,) = _mended({"tags": {"owner": "me", "team": "a"}, "nodeTaints": [SECRET, UNKNOWN]})
    after = mapping(one.properties)
    assert after["tags"] == {**OWN, "owner": "me", "team": "a"}
    assert HUSH in str(after["nodeTaints"])  # a secret is handed back as a secret
    assert "4dabf18193072939515e22adb298388d" in str(after["nodeTaints"])
    assert (one.policyName, one.description) == ("COST008", "adds the tags class, cost-center, environment, managed-by")
    assert HUSH not in one.description


def test_a_resource_without_tags_gets_all_of_them() -> None:
    (one,) = _mended({"tags": None})
    assert mapping(one.properties)["tags"] == OWN


@pytest.mark.parametrize(
    ("properties", "type_", "level"),
    [
        ({}, AGENT_POOL, "REMEDIATE"),
        ({"tags": {}}, AGENT_POOL, "MANDATORY"),
        ({"tags": UNKNOWN}, AGENT_POOL, "REMEDIATE"),
        ({"tags": SECRET}, AGENT_POOL, "REMEDIATE"),
        ({"tags": "owner=ml"}, AGENT_POOL, "REMEDIATE"),
        ({"tags": {"owner": UNKNOWN}}, CLUSTER, "REMEDIATE"),
        ({}, "azure-native:consumption:Budget", "REMEDIATE"),
    ],
)
def test_nothing_is_rewritten_that_lacks_none_or_can_not_be_read(
    properties: dict[str, Any], type_: str, level: str
) -> None:
    assert _mended(properties, type_, level) == []


def test_only_a_rule_that_can_mend_may_be_told_to() -> None:
    found = configuration.parse({"COST008": "remediate"}, rules(), "c.json")["COST008"]
    assert (found.enforcement, found.remediate) == (Enforcement.MANDATORY, True)
    with pytest.raises(ConfigurationError, match="SCALE002: this rule can't remediate"):
        configuration.parse({"SCALE002": "remediate"}, rules(), "c.json")
    with pytest.raises(ConfigurationError, match="all: most rules can't remediate"):
        configuration.parse({"all": "remediate"}, rules(), "c.json")

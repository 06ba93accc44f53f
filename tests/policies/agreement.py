"""A pack says of a stack what the offline check says, finding by finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gpufleet.graph import Graph
from policies.configuration import LEVEL
from policies.evaluate import Result, Verdict
from tests.policies.engine import HUSH, Said, show

Finding = tuple[str, str, str]
"""Verdict, URN and first line of what is said."""


def assert_the_pack_agrees(result: Result, graph: Graph, settings: Mapping[str, Any]) -> None:
    """One rule's result, against what its pack says when the engine shows it the same graph."""
    rule = result.rule
    said = show(graph, [rule], {rule.id: {**settings, LEVEL: result.enforcement}})
    assert heard_of(said, rule.id) == judged(result)
    assert {one.level for one in said if one.policy == rule.id} <= {result.enforcement}
    assert not [one for one in said if HUSH in one.text or one.verdict == "own"]


def heard_of(said: list[Said], rule: str) -> Counter[Finding]:
    """What a pack has said of a rule."""
    return Counter((one.verdict, one.urn, one.text.splitlines()[0]) for one in said if one.policy == rule)


def judged(result: Result) -> Counter[Finding]:
    """What the offline check says."""
    return Counter(
        (
            one.verdict.value,
            one.resource,
            f"{'undecided: ' if one.verdict is Verdict.UNDECIDED else ''}{one.label}: {one.message}",
        )
        for one in result.judgements
    )

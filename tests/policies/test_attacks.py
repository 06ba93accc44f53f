"""What passes plain Pulumi and must not pass here: every case of attacks.yaml, as a real engine would show it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from gpufleet.errors import ConfigurationError
from gpufleet.graph import SECRET, Graph, Node
from policies import configuration, examples
from policies.catalogue import rules
from policies.evaluate import evaluate
from policies.examples import Example
from policies.rule import AnyRule, Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import AGENT_POOL, Resource, View
from tests.policies.engine import HUSH, Said, show

_WAIVER = {
    "rule": "SCALE002",
    "environment": "lab",
    "resource": "training/lab/pools/h100",
    "reason": "support has raised the limit",
    "owner": "ml-platform",
    "ticket": "OPS-1",
    "approvedBy": "cto",
    "expires": "2027-01-31",
    "bound": 110,
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Model):
    """Something that the packs must say."""

    policy: str
    verdict: Literal["fail", "undecided", "own"]
    level: Literal["mandatory", "advisory"] = "mandatory"
    message: str = ""


class Attack(_Model):
    """One case. What it shares with an example is as in `policies.examples`."""

    attack: str
    base: Literal["training", "inference"]
    stack: dict[str, Any] = {}
    resource: Any = []
    add: Any = []
    secret: list[str] = []
    """Properties of the resources that it changes which become secret."""
    orphan: bool = False
    """Whether nothing says any more which cluster its resources belong to."""
    unseen: str = ""
    """Logical name of a resource that the engine lists at the end, and has never asked about."""
    outputs: dict[str, Any] = {}
    """What Azure makes of every resource's properties."""
    configuration: dict[str, Any] = {}
    waivers: dict[str, Any] | None = None
    """What is different from a waiver that would cover up to 110 nodes of the pool h100."""
    rule: Literal["", "raises", "raises-at-once"] = ""
    """A rule of the attacker's, beside ours."""
    then: list[Expected] = Field(min_length=1)


def _attacks() -> list[Attack]:
    text = Path(__file__).with_name("attacks.yaml").read_text(encoding="utf-8")
    return [Attack.model_validate(case) for case in yaml.safe_load(text)]


ATTACKS = _attacks()


class Raises(Rule[Resource, Settings]):
    """Every pool raises."""

    id = "TEST001"
    pack = Pack.SCALING
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.RESOURCE
    fix = "None"
    source = ""

    def subjects(self, view: View) -> tuple[Resource, ...]:
        return view.resources(AGENT_POOL)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        del view, settings
        raise KeyError(subject.node.name)


class RaisesAtOnce(Raises):
    """Looking for a pool raises."""

    def subjects(self, view: View) -> tuple[Resource, ...]:
        raise KeyError(len(view.graph))


def test_there_are_as_many_attacks_as_promised() -> None:
    assert len({attack.attack for attack in ATTACKS}) == len(ATTACKS) >= 40


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.attack)
def test_an_attack_fails(attack: Attack, tmp_path: Path) -> None:
    graph, asked = _graph(attack), _rules(attack)
    said = show(
        graph,
        asked,
        attack.configuration,
        stacks=_stacks(attack, tmp_path),
        unseen=frozenset(node.urn for node in graph if node.name == attack.unseen),
        outputs=attack.outputs,
    )
    for expected in attack.then:
        found = [one for one in said if _is(one, expected)]
        assert found, (expected, [one for one in said if one.policy == expected.policy])
        assert not [one for one in _of_the_sample(attack.base) if _is(one, expected)], "the sample says it by itself"
    assert not any(HUSH in one.text for one in said)
    if not (attack.waivers is not None or attack.unseen or attack.outputs):
        _offline(attack, graph, asked)


def _offline(attack: Attack, graph: Graph, asked: list[AnyRule]) -> None:
    """The check without an engine sees the same."""
    wanted = {(one.policy, one.verdict) for one in attack.then if one.verdict != "own"}
    try:
        configured = configuration.parse(attack.configuration, asked, "lab.json")
    except ConfigurationError:
        assert any(one.policy == "configuration" for one in attack.then)
        return
    results = evaluate(View(graph=graph), asked, configured)
    assert wanted <= {(one.rule, one.verdict.value) for result in results for one in result.judgements}


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_resources_in_any_order_come_to_the_same(seed: int) -> None:
    graph = _thousand()
    expected = sorted(map(str, evaluate(View(graph=graph), rules())))
    nodes = list(graph)
    random.Random(seed).shuffle(nodes)
    again = Graph(
        replace(node, properties=dict(random.Random(seed).sample(list(node.properties.items()), len(node.properties))))
        for node in nodes
    )
    assert sorted(map(str, evaluate(View(graph=again), rules()))) == expected
    assert "may grow to 117 nodes" in "".join(expected)


def test_a_waiver_that_holds_lets_its_finding_pass_and_says_so(tmp_path: Path) -> None:
    attack = next(one for one in ATTACKS if one.attack == "a waived pool that grows")
    calm = attack.model_copy(update={"resource": {**attack.resource, "set": {"maxCount": 110}}})
    said = [one for one in show(_graph(calm), rules(), stacks=_stacks(calm, tmp_path)) if one.policy == "SCALE002"]
    assert [(one.verdict, one.level) for one in said] == [("waived", "advisory")]
    assert "waived until 2027-01-31 (stacks/waivers.yaml:1)" in said[0].text


def _is(said: Said, expected: Expected) -> bool:
    return (said.policy, said.verdict, said.level) == (
        expected.policy,
        expected.verdict,
        expected.level,
    ) and expected.message in said.text


@cache
def _of_the_sample(base: str) -> tuple[Said, ...]:
    return tuple(
        show(examples.view(Example.model_validate({"title": "", "base": base, "verdict": "pass"})).graph, rules())
    )


def _rules(attack: Attack) -> list[AnyRule]:
    more: dict[str, list[AnyRule]] = {"": [], "raises": [Raises()], "raises-at-once": [RaisesAtOnce()]}
    return [*rules(), *more[attack.rule]]


def _graph(attack: Attack) -> Graph:
    parts = {"base": attack.base, "stack": attack.stack, "resource": attack.resource, "add": attack.add}
    graph = examples.view(Example.model_validate({"title": attack.attack, "verdict": "fail", **parts})).graph
    edit = attack.resource if isinstance(attack.resource, dict) else {}
    changed = [node for node in graph if node.type == edit.get("type") and node.name.startswith("lab-h100")]
    return Graph(_changed(attack, node) if node in changed else node for node in graph)


def _changed(attack: Attack, node: Node) -> Node:
    properties = {**node.properties, **dict.fromkeys(attack.secret, SECRET)}
    return replace(
        node, properties=properties, property_dependencies={} if attack.orphan else node.property_dependencies
    )


def _stacks(attack: Attack, folder: Path) -> Path:
    if attack.waivers is not None:
        entry = {key: value for key, value in {**_WAIVER, **attack.waivers}.items() if value is not None}
        (folder / "waivers.yaml").write_text(yaml.safe_dump([entry]))
        for name in ("lab", "other"):
            (folder / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    return folder


@cache
def _thousand() -> Graph:
    """The sample with 900 pools more, one of which is too large."""
    sample = examples.view(Example.model_validate({"title": "", "base": "training", "verdict": "pass"})).graph
    pool = next(node for node in sample if node.name.startswith("lab-h100"))
    copies = [
        replace(
            pool,
            urn=f"{pool.urn}{number}",
            name=f"{pool.name}{number}",
            properties={**pool.properties, "agentPoolName": f"p{number}", "maxCount": 117 if number == 500 else 4},
        )
        for number in range(900)
    ]
    return Graph([*sample, *copies])

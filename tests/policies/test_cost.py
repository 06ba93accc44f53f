"""What the examples of the cost rules can't show."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from gpufleet.catalog import prices
from gpufleet.graph import SECRET, UNKNOWN, Graph, Node, offline
from gpufleet.graph.model import Value
from gpufleet.spec import load
from gpufleet.spec.base import Priority
from gpufleet.spec.stack_file import StackFile
from policies import configuration, examples
from policies.catalogue import rule, rules
from policies.evaluate import Result, Verdict, evaluate
from policies.pool_prices import grouped, node_hour
from policies.reading import UndecidedError
from policies.rule import AnyRule, Enforcement, Pack
from policies.rules import cost008_tags
from policies.view import AGENT_POOL, View
from tests.policies import tag_table

ROOT = Path(__file__).parents[2]
_TRAINING = examples.Example(title="as it is", base="training", verdict=Verdict.PASS)
_STRANGE: tuple[Value, ...] = (
    *(None, UNKNOWN, SECRET, "", "16", -5, 0, 1e3, 1e308, float("nan"), float("inf"), True, [], {}),
)
_NESTED: tuple[Value, ...] = ([UNKNOWN], {"x": UNKNOWN})
COST = [one for one in rules() if one.pack is Pack.COST]


@cache
def _graph(stack: str) -> Graph:
    file = StackFile.read(ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    return offline.plan(stack, load(file, today=dt.date(2026, 12, 1)).environment)


@pytest.fixture(scope="module")
def dev() -> View:
    return View(graph=_graph("dev"))


def _of(view: View, id_: str) -> Result:
    one = rule(id_)
    assert one is not None
    (result,) = evaluate(view, [one])
    return result


@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "frontier"])
def test_committed_stacks_keep_every_mandatory_rule(stack: str) -> None:
    view = View(graph=_graph(stack))
    found = evaluate(view, COST, configuration.load(stack, rules()))
    bad = {one.rule.id: one for one in found if one.verdict in {Verdict.FAIL, Verdict.UNDECIDED}}
    # 100 nodes of each fabric's CPU pool on average, which no spot pool stands beside.
    assert list(bad) == (["COST005"] if stack == "frontier" else [])
    assert all(one.enforcement is Enforcement.ADVISORY for one in bad.values())


@pytest.mark.parametrize("one", COST, ids=lambda one: one.id)
def test_a_stack_that_is_none_of_gpufleets_raises_nothing(one: AnyRule) -> None:
    pool = Node(urn="urn:p", type=AGENT_POOL, name="p", parent="", custom=True, properties={"vmSize": UNKNOWN})
    (result,) = evaluate(View(graph=Graph([pool])), [one])
    assert not any(judgement.raised for judgement in result.judgements), result.judgements


def test_the_order_of_resources_changes_nothing(dev: View) -> None:
    shuffled = View(graph=Graph(sorted(dev.graph, key=lambda node: node.urn[::-1])))
    assert [one.judgements for one in evaluate(shuffled, COST)] == [one.judgements for one in evaluate(dev, COST)]


def test_a_resource_alone_is_judged_as_in_its_stack(dev: View) -> None:
    """The engine asks rules of one resource before it has the others, and they must say the same then."""
    whole = _of(dev, "COST008")
    alone = [_of(View(graph=Graph([node])), "COST008") for node in dev.graph if node.custom]
    assert (whole.verdict, whole.subjects) == (Verdict.PASS, sum(one.subjects for one in alone))
    assert {one.verdict for one in alone} == {Verdict.PASS, Verdict.NOT_APPLICABLE}


def test_one_fixed_pool_of_many_infiniband_domains_is_one_subject() -> None:
    view = View(graph=_graph("frontier"))
    east = [group for group in grouped(view.pools) if group.label == "training/east/pools/h100"]
    assert [(len(group.pools), group.least) for group in east] == [(42, 4200)]


def test_the_price_of_a_node_is_that_of_the_list_then_of_the_stack_file(dev: View) -> None:
    assert node_hour(dev, "Standard_ND96isr_H100_v5", "eastus") == Decimal("98.32")
    with pytest.raises(UndecidedError, match="no source gives a spot price"):
        node_hour(View(graph=Graph([])), "Standard_NC80adis_H100_v5", "eastus", Priority.SPOT)
    prod = View(graph=_graph("prod"))
    assert node_hour(prod, "Standard_NC80adis_H100_v5", "eastus", Priority.SPOT) == Decimal("6.98")


def test_a_damaged_price_list_leaves_rules_undecided(dev: View, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpufleet.catalog.table import CatalogError

    def damaged(*_: object, **__: object) -> None:
        raise CatalogError("prices.csv:3: usd is 'x', not a price")

    monkeypatch.setattr(prices, "price", damaged)
    for id_ in ("COST002", "COST003", "COST011"):
        result = _of(View(graph=dev.graph), id_)
        assert (result.verdict, result.judgements[0].raised) == (Verdict.UNDECIDED, False), result.judgements
        assert "prices.csv:3: usd is 'x', not a price" in result.judgements[0].message


def test_the_specification_can_not_hide_a_larger_pool(dev: View) -> None:
    """What is there counts, not what the environment says of itself."""
    grown = [
        Node(**{**vars(node), "properties": {**node.properties, "count": 200}})
        if node.type == AGENT_POOL and node.properties["vmSize"] == "Standard_ND96isr_H100_v5"
        else node
        for node in dev.graph
    ]
    view = View(graph=Graph(grown))
    assert {id_: _of(view, id_).verdict for id_ in ("COST002", "COST007", "COST011")} == dict.fromkeys(
        ("COST002", "COST007", "COST011"), Verdict.FAIL
    )
    (over,) = _of(view, "COST011").judgements
    # 200 nodes, and one T4 at its minimum.
    assert over.amount == 200 * Decimal("98.32") + Decimal("0.526")


@pytest.mark.parametrize("key", ["vmSize", "maxCount", "minCount", "scaleSetPriority", "spotMaxPrice", "tags"])
def test_no_value_makes_a_rule_raise(key: str) -> None:
    """A value of another type, or out of this world, is a verdict; a rule that raises is a mistake of ours."""
    view = examples.view(_TRAINING)
    pool = next(node for node in view.graph if node.type == AGENT_POOL and node.properties.get("maxCount") == 16)
    for value in (*_STRANGE, *_NESTED):
        changed = Node(**{**vars(pool), "properties": {**pool.properties, key: value}})
        graph = Graph(changed if node is pool else node for node in view.graph)
        for result in evaluate(View(graph=graph), COST):
            assert not any(one.raised for one in result.judgements), (key, value, result.judgements)


def test_the_table_of_tags_is_that_of_the_installed_sdk() -> None:
    assert tag_table.TABLE.read_text(encoding="utf-8") == tag_table.table(), "run `python -m tests.policies.tag_table`"


def test_every_type_that_a_committed_stack_makes_is_in_the_table() -> None:
    for stack in ("dev", "staging", "prod", "frontier"):
        graph = _graph(stack)
        assert [node.type for node in graph if node.custom and cost008_tags.takes_tags(node.type) is None] == []

"""The committed stacks: nothing of what the program makes is left out, and nothing of it lacks a price."""

from __future__ import annotations

import csv
import operator
import re
from decimal import Decimal
from importlib import resources

import pytest

from gpufleet.cost import PriceKind, Verdict
from gpufleet.cost.money import Bounds
from gpufleet.cost.pricers import PRICERS, free
from tests.components import front, gateways, serving_nodes, storage
from tests.components.idle import graph
from tests.cost.samples import STACKS, priced, resource, stack_environment, stack_estimate, stack_items

_DATA = resources.files("gpufleet.cost") / "data"


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_is_priced_or_known_free(stack: str) -> None:
    types = {item.type for item in stack_items(stack)}
    assert {type_ for type_ in types if type_ not in PRICERS and free(type_) is None} == set()


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_is_in_the_estimate(stack: str) -> None:
    found = stack_estimate(stack)
    mentioned = {part.origin.urn for part in found.parts} | {one.origin.urn for one in found.unbilled}
    assert {item.urn for item in stack_items(stack)} == mentioned


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_lacks_a_price_and_every_planning_price_is_needed(stack: str) -> None:
    found = stack_estimate(stack)
    assert [(part.meter, part.reason) for part in found.unpriced] == []
    assert found.unused == ()


@pytest.mark.parametrize("stack", STACKS)
def test_the_budget_holds_the_ceiling_and_the_worst_case(stack: str) -> None:
    found = stack_estimate(stack)
    assert found.verdict is Verdict.WITHIN
    assert found.worst.period.ceiling <= found.budget


@pytest.mark.parametrize("stack", STACKS)
def test_parts_add_up_to_the_cent(stack: str) -> None:
    found = stack_estimate(stack)
    for key in ("component", "region", "pool", "type"):
        amounts = list(found.by(operator.attrgetter(key)).values())
        assert Bounds.total(amount.monthly for amount in amounts) == found.total.monthly
        assert Bounds.total(amount.hourly for amount in amounts) == found.total.hourly
        assert Bounds.total(amount.period for amount in amounts) == found.total.period
    kinds = [found.of_kind(kind).monthly for kind in PriceKind]
    assert Bounds.total(kinds) == found.total.monthly


@pytest.mark.parametrize("stack", STACKS)
def test_bounds_are_in_order(stack: str) -> None:
    found = stack_estimate(stack)
    for amount in (found.total.hourly, found.total.monthly, found.total.period):
        assert 0 < amount.floor <= amount.expected <= amount.ceiling
    for line in found.lines:
        monthly = line.amount.monthly
        assert monthly.floor <= monthly.expected <= monthly.ceiling
        assert line.worst.monthly.ceiling >= monthly.ceiling


@pytest.mark.parametrize(("stack", "nodes"), [("dev", 2), ("prod", 64), ("frontier", 12_500)])
def test_h100_compute(stack: str, nodes: int) -> None:
    lines = [line for line in stack_estimate(stack).lines if line.meter == "Standard_ND96isr_H100_v5 regular"]
    assert sum(line.quantity.ceiling for line in lines) == nodes
    assert sum(line.amount.monthly.ceiling for line in lines) == nodes * Decimal("71773.60")


def test_a_resource_of_an_unknown_type_is_added_to_the_unpriced_of_a_stack() -> None:
    items = [*stack_items("dev"), resource("quantum:Workspace")]
    found = priced(stack_environment("dev"), items)
    assert [part.meter for part in found.unpriced] == ["azure-native:quantum:Workspace"]
    assert found.total == stack_estimate("dev").total


def test_no_type_is_priced_and_free_at_once() -> None:
    assert [type_ for type_ in PRICERS if free(type_)] == []


def test_free_types_are_types_that_the_program_makes() -> None:
    made = {item.type for stack in STACKS for item in stack_items(stack)}
    made |= {item.type for item in (*graph("lunch").resources, *storage.graph().resources)}
    made |= {item.type for case in front.CASES for item in front.graph(case).resources}
    made |= {item.type for case in gateways.CASES for item in gateways.graph(case).resources}
    made |= {item.type for item in serving_nodes.graph().resources}
    rows = list(csv.DictReader((_DATA / "free.csv").read_text().splitlines()))
    assert {row["type"] for row in rows} - made == set()
    assert set(PRICERS) - made == set()


@pytest.mark.parametrize("file", ["free.csv", "disk_tiers.csv", "registry_included.csv"])
def test_every_source_is_in_the_readme(file: str) -> None:
    known = set(re.findall(r"^\| (\w+) \|", (_DATA / "README.md").read_text(), re.MULTILINE))
    rows = list(csv.DictReader((_DATA / file).read_text().splitlines()))
    assert {row["source"] for row in rows} - known == set()
    assert f"| `{file}` | {len(rows)} |" in (_DATA / "README.md").read_text()

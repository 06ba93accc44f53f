"""What the cost rules say in a check: the key that decides it, the numbers, and how the process ends."""

from __future__ import annotations

from decimal import Decimal

from gpufleet.check import Level, Verdict
from gpufleet.errors import ExitCode
from tests.check.stacks import Changes, Stacks
from tests.spec.environments import SERVE


def test_a_ceiling_above_the_budget_names_its_largest_part(stacks: Stacks) -> None:
    found = stacks.finding({("budget", "monthlyUsd"): 100}, "COST002")
    assert (found.level, found.verdict, found.code) == (Level.ERROR, Verdict.FAIL, ExitCode.POLICY)
    assert (found.key, found.label, found.measure) == ("budget.monthlyUsd", "environment", "overBudgetUsd")
    # 8 · 98.32 · 744 h
    assert "the largest part is $585,200.64 for pool h100 of training lab" in found.message
    assert found.message.startswith("the ceiling costs $")
    assert found.amount is not None
    assert f"${found.amount:,.2f} more than the budget of $100.00" in found.message
    assert found.fix == "Lower a pool's maximum, raise budget.monthlyUsd, or hold another bound with budget.gate"
    assert found.place is not None
    assert (found.place.file, found.place.line is not None) == ("Pulumi.x.yaml", True)


def test_a_missing_price_is_a_broken_rule_when_strict_alone(stacks: Stacks) -> None:
    changes: Changes = {(*SERVE, "priority"): "spot"}
    strict, lenient = stacks.finding(changes, "COST003"), stacks.finding(changes, "COST003", strict=False)
    assert (strict.level, strict.verdict, strict.code) == (Level.ERROR, Verdict.UNDECIDED, ExitCode.POLICY)
    assert (lenient.level, lenient.verdict) == (Level.WARNING, Verdict.UNDECIDED)
    assert "no source gives a spot price for Standard_NC40ads_H100_v5 in swedencentral" in strict.message
    assert strict.key == "inference.regions[0].pools[0]"
    assert strict.resource.endswith(":AgentPool::swedencentral-ncq1")
    assert strict.label == "inference/swedencentral/pools/nc: Standard_NC40ads_H100_v5 spot"
    assert strict.fix.startswith("Give a planning price: prices: {assumed: [{sku: Standard_NC40ads_H100_v5")


def test_a_planning_price_without_use_is_a_warning(stacks: Stacks) -> None:
    assumed = stacks.value()["prices"]["assumed"]
    more = {**assumed[0], "meter": "AMLFS-Durable-Premium-40"}
    found = stacks.finding({("prices", "assumed", 3): more}, "COST010")
    assert (found.level, found.key) == (Level.WARNING, "prices.assumed[3]")
    assert found.label == "environment/prices/Managed Lustre, AMLFS-Durable-Premium-40"
    assert found.message.startswith("is not used (AMLFS-Durable-Premium-40): ")


def test_nodes_that_stay_on_are_held_to_the_cent(stacks: Stacks) -> None:
    found = stacks.finding({("training", 0, "pools", 0, "nodes"): 3}, "COST007")
    assert (found.key, found.amount) == ("training[0].pools[0].nodes", Decimal("294.96"))


def test_what_keeps_every_cost_rule_passes_each(stacks: Stacks) -> None:
    report = stacks.check()
    ids = {rule for rule in report.passed if rule.startswith("COST")}
    assert ids == {f"COST{number:03}" for number in range(1, 14)} - {"COST006"}
    assert "COST006" in report.not_applicable

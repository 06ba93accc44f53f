"""The stack files that come with the project."""

from __future__ import annotations

import pathlib

import pytest

from gpufleet.catalog import prices, sizes
from gpufleet.engine.sandbox_home import SALT
from gpufleet.sizing.storage import planned_lustre_tib
from gpufleet.spec import load, load_environment
from gpufleet.spec.addresses import scopes
from gpufleet.spec.environment import Environment, EnvironmentClass
from gpufleet.spec.pool_names import agent_pools

STACKS = pathlib.Path(__file__).parents[2] / "stacks"


def _load(name: str) -> Environment:
    return load_environment(STACKS / f"Pulumi.{name}.yaml")


def _compute_ceiling(environment: Environment) -> float:
    """USD a month with every node there: the larger part of any bill, list prices, spot at the regular price."""
    total = 0.0
    for scope in scopes(environment):
        nodes = [(scope.cluster.system_pool.sku, scope.cluster.system_pool.nodes)]
        nodes += [(pool.sku, plan.max_nodes) for pool in scope.pools for plan in agent_pools(pool)]
        for sku, count in nodes:
            price = prices.regular(sku, scope.region)
            assert isinstance(price, prices.Priced)
            total += count * float(price.usd_per_hour) * 730
    return total


def test_which_there_are() -> None:
    assert sorted(file.name for file in STACKS.glob("Pulumi.*.yaml")) == [
        f"Pulumi.{name}.yaml" for name in ("dev", "frontier", "prod", "staging")
    ]


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "frontier"])
def test_the_budget_is_above_the_compute_ceiling_and_near_it(name: str) -> None:
    environment = _load(name)
    assert 0.85 < _compute_ceiling(environment) / environment.budget.monthly_usd < 0.97


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "frontier"])
def test_the_sandbox_needs_no_copy(name: str) -> None:
    # Without a salt that fits its passphrase Pulumi would rewrite the file (docs/adr/0003).
    assert f"\nencryptionsalt: {SALT}\n" in (STACKS / f"Pulumi.{name}.yaml").read_text()


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_no_warnings(name: str) -> None:
    assert load(STACKS / f"Pulumi.{name}.yaml").warnings == ()


def test_dev() -> None:
    environment = _load("dev")
    assert environment.environment_class is EnvironmentClass.EPHEMERAL
    assert [(plan.name, plan.nodes) for plan in agent_pools(environment.training[0].pools[0])] == [("h10001zb", 2)]
    assert planned_lustre_tib(environment.training[0]) == 4


def test_prod() -> None:
    environment = _load("prod")
    assert environment.inference
    assert [region.name for region in environment.inference.regions] == ["eastus", "swedencentral", "japaneast"]
    assert planned_lustre_tib(environment.training[0]) == 48


def test_frontier_is_100_000_gpus_in_125_domains() -> None:
    environment = _load("frontier")
    domains = [
        plan
        for scope in scopes(environment)
        for pool in scope.pools
        if sizes.get(pool.sku).rdma
        for plan in agent_pools(pool)
    ]
    assert len(domains) == 125
    assert {plan.nodes for plan in domains} == {100}
    assert sum(plan.max_nodes for plan in domains) * sizes.get("Standard_ND96isr_H100_v5").gpus == 100_000
    cheapest = prices.regions("Standard_ND96isr_H100_v5")[:4]
    assert {fabric.region for fabric in environment.training} <= set(cheapest)
    assert [
        (problem.severity.value, problem.path[0]) for problem in load(STACKS / "Pulumi.frontier.yaml").warnings
    ] == [("warning", "training")] * 3

"""Whose nodes are whose, and what of shared ones is estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gpufleet.cost import Estimate, estimate
from gpufleet.cost.allocated import Allocated, as_dict, rows
from gpufleet.outlook import allocated
from gpufleet.spec import Environment, parse_environment
from gpufleet.spec.pool_names import agent_pools
from tests.outlook.samples import NC40, NC80, value

_AGENT_POOL = "azure-native:containerservice:AgentPool"


@dataclass(frozen=True, kw_only=True)
class _Item:
    """The least that can be priced."""

    type: str
    name: str
    parent: str = ""
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::gpufleet::{self.type}::{self.name}"


def _environment(*pools: dict[str, Any], **budget: object) -> Environment:
    plain = value()
    plain["inference"]["models"][0]["team"] = "search"
    plain["inference"]["regions"] = [{"name": "eastus", "pools": list(pools)}]
    plain["inference"]["demand"] = []
    plain["class"] = "standard"
    plain["budget"] |= budget
    return parse_environment(plain)


def _priced(environment: Environment) -> Estimate:
    assert environment.inference is not None
    region = _Item(type="gpufleet:inference:InferenceRegion", name="eastus")
    items = [region]
    for pool in environment.inference.regions[0].pools:
        for plan in agent_pools(pool):
            properties = {
                "agentPoolName": plan.name,
                "vmSize": pool.sku,
                "location": "eastus",
                "nodeLabels": {"gpufleet.io/pool": pool.name},
                "scaleSetPriority": "Regular",
                "count": plan.min_nodes,
                "maxCount": plan.max_nodes,
                "minCount": plan.min_nodes,
                "enableAutoScaling": True,
                "osDiskSizeGB": 256,
            }
            items.append(_Item(type=_AGENT_POOL, name=plan.name, parent=region.urn, properties=properties))
    return estimate(environment, items, name="test")


def _found(environment: Environment) -> dict[str, Allocated]:
    return {one.name: one for one in allocated(environment, _priced(environment))}


BIG = {"name": "big", "sku": NC80, "nodes": {"min": 1, "max": 10}}
SMALL = {"name": "small", "sku": NC40, "nodes": {"min": 1, "max": 2}}
MONTH = 730


def test_what_a_pool_serves_alone_is_its_own() -> None:
    found = _found(_environment(BIG | {"serves": ["chat"]}, SMALL | {"serves": ["small"]}))
    chat = Decimal("13.96") * 10 * MONTH
    assert (found["chat"].own, found["chat"].shared) == (chat, Decimal(0))
    assert (found["search"].own, found["search"].kind) == (chat, "team")
    assert found["small"].own > 0


def test_shared_nodes_are_divided_by_gpus_and_none_is_lost() -> None:
    found = _found(_environment(BIG))
    assert {one.own for one in found.values()} == {0}
    assert found["chat"].shared + found["small"].shared == Decimal("13.96") * 10 * MONTH
    assert found["search"].shared == found["chat"].shared > found["small"].shared > 0


def test_a_budget_is_held_against_its_own_nodes() -> None:
    pools = (BIG | {"serves": ["chat"]}, SMALL)
    over = _found(_environment(*pools, allocations=[{"model": "chat", "monthlyUsd": 100}]))["chat"]
    assert (over.budget, over.over) == (Decimal(100), True)
    assert next(rows([over]))[-1] == "OVER BUDGET"
    enough = _found(_environment(*pools, allocations=[{"team": "search", "monthlyUsd": 1e6}]))["search"]
    assert (enough.over, as_dict(enough)["over"]) == (False, False)
    assert _found(_environment(*pools))["chat"].over is None


def test_nothing_without_models() -> None:
    environment = _environment(BIG)
    assert environment.inference is not None
    empty = environment.model_copy(update={"inference": environment.inference.model_copy(update={"models": []})})
    assert allocated(empty, _priced(environment)) == []

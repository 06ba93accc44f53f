"""Small environments, and resources as a program would register them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gpufleet.cost import Estimate, PriceBook, estimate
from gpufleet.cost.lines import Line, Unpriced
from gpufleet.spec import Environment, load_environment, parse_environment
from gpufleet.spec.addresses import scopes
from gpufleet.spec.base import Priority
from gpufleet.spec.pool import NodeRange
from gpufleet.spec.pool_names import agent_pools
from tests.components.graphs import ROOT, stack_graph

STACKS = ("dev", "staging", "prod", "frontier")
H100 = "Standard_ND96isr_H100_v5"
NC80 = "Standard_NC80adis_H100_v5"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """The least that can be priced."""

    type: str
    name: str = "one"
    parent: str = ""
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::gpufleet::{self.type}::{self.name}"


def resource(type_: str, name: str = "one", parent: Resource | None = None, **properties: object) -> Resource:
    """An azure-native resource of `type_`, such as `network:NatGateway`."""
    return Resource(type=f"azure-native:{type_}", name=name, parent=parent.urn if parent else "", properties=properties)


def fabric(name: str = "lab") -> Resource:
    """The component of a training fabric."""
    return Resource(type="gpufleet:training:TrainingFabric", name=name)


def region(name: str = "eastus") -> Resource:
    """The component of an inference region."""
    return Resource(type="gpufleet:inference:InferenceRegion", name=name)


def plain(**changes: object) -> dict[str, Any]:
    """One fabric of four H100 nodes and nothing that isn't needed."""
    value: dict[str, Any] = {
        "class": "standard",
        "owner": "ml-platform",
        "costCenter": "cc-1",
        "allowedRegions": ["eastus", "uksouth", "swedencentral"],
        "budget": {"monthlyUsd": 1000000, "start": "2026-12-01", "contacts": ["a@example.com"]},
        "training": [{"name": "lab", "region": "eastus", "pools": [{"name": "h100", "sku": H100, "nodes": 4}]}],
    }
    return {**value, **changes}


def with_pools(*pools: Mapping[str, object], place: str = "eastus", **changes: object) -> Environment:
    """An environment of one fabric with these pools; a workload that resumes where any is spot."""
    lab: dict[str, Any] = {"name": "lab", "region": place, "pools": [dict(pool) for pool in pools]}
    if any(pool.get("priority") == "spot" for pool in pools):
        checkpoint = {"maxLossPercent": 5, "resume": True}
        lab["workload"] = {"parametersB": 7, "tokensB": 1, "datasetTiB": 1, "checkpoint": checkpoint}
    return parse_environment(plain(training=[lab], **changes))


def pool_items(environment: Environment) -> list[Resource]:
    """The agent pools of an environment, below the components they belong to."""
    found: list[Resource] = []
    for scope in scopes(environment):
        holder = fabric(scope.name) if scope.path[0] == "training" else region(scope.name)
        found.append(holder)
        for pool in scope.pools:
            for plan in agent_pools(pool):
                autoscaled = isinstance(plan.nodes, NodeRange)
                bounds = {"minCount": plan.min_nodes, "maxCount": plan.max_nodes} if autoscaled else {}
                found.append(
                    resource(
                        "containerservice:AgentPool",
                        f"{scope.name}-{plan.name}",
                        holder,
                        agentPoolName=plan.name,
                        vmSize=pool.sku,
                        count=plan.min_nodes,
                        enableAutoScaling=autoscaled,
                        **bounds,
                        osDiskSizeGB=pool.os_disk_gib,
                        scaleSetPriority="Spot" if pool.priority is Priority.SPOT else "Regular",
                        **({} if pool.priority is Priority.SPOT else {"upgradeSettings": {"maxSurge": "0"}}),
                    )
                )
    return found


def priced(environment: Environment, items: Iterable[Resource] | None = None) -> Estimate:
    """An estimate with list prices and the environment's own planning prices."""
    return estimate(environment, pool_items(environment) if items is None else items, name="test")


def priced_one(item: Resource, environment: Environment | None = None) -> Estimate:
    """An estimate of one resource of a fabric in eastus."""
    return priced(environment or parse_environment(plain()), [fabric(), item])


def line(found: Estimate, meter: str) -> Line:
    """The only line of a meter."""
    matching = [one for one in found.lines if one.meter == meter]
    assert len(matching) == 1, [one.meter for one in found.lines]
    return matching[0]


def gap(found: Estimate, meter: str) -> Unpriced:
    """The only unpriced charge of a meter."""
    matching = [one for one in found.unpriced if one.meter == meter]
    assert len(matching) == 1, [one.meter for one in found.unpriced]
    return matching[0]


@cache
def stack_environment(stack: str) -> Environment:
    """One of the committed stacks."""
    return load_environment(ROOT / "stacks" / f"Pulumi.{stack}.yaml")


@cache
def stack_items(stack: str) -> Sequence[Resource]:
    """Everything that the program makes of a committed stack."""
    return [
        _Recorded(type=one.type, name=one.name, parent=one.parent, properties=one.inputs, recorded_urn=one.urn)
        for one in stack_graph(stack).resources
    ]


@cache
def stack_estimate(stack: str) -> Estimate:
    """What a committed stack costs."""
    return estimate(stack_environment(stack), stack_items(stack), name=stack, book=None)


@dataclass(frozen=True, kw_only=True)
class _Recorded(Resource):
    recorded_urn: str

    @property
    def urn(self) -> str:
        return self.recorded_urn


def book(*assumed: Mapping[str, object]) -> PriceBook:
    """Prices with these planning prices."""
    return PriceBook(assumed=parse_environment(plain(prices={"assumed": list(assumed)})).prices.assumed)

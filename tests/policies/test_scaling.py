"""What the examples of the scaling rules can't show: many pools, stacks that are none of ours, one resource alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from gpufleet.graph import UNKNOWN, Graph, Node
from gpufleet.graph.model import Value
from policies import examples
from policies.catalogue import rule, rules
from policies.configuration import configured
from policies.evaluate import Result, Verdict, evaluate
from policies.examples import Example
from policies.rule import AnyRule, Pack, Scope
from policies.view import AGENT_POOL, CLUSTER, View

STILL: dict[str, Value] = {"maxSurge": "0", "maxUnavailable": "1"}
"""Upgrades that add no node."""

ALONE = [
    (one, example)
    for one in rules()
    if one.pack is Pack.SCALING and one.scope is Scope.RESOURCE
    for example in examples.of(one)
]


def node(type_: str, name: str, properties: Mapping[str, Value], **dependencies: str) -> Node:
    return Node(
        urn=urn(type_, name),
        type=type_,
        name=name,
        parent="",
        custom=True,
        properties=properties,
        property_dependencies={key: (source,) for key, source in dependencies.items()},
    )


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:s::p::{type_}::{name}"


def cluster(**properties: Value) -> Node:
    system: dict[str, Value] = {"name": "system", "mode": "System", "vmSize": "Standard_D4ds_v5", "count": 3}
    profiles: list[Value] = [{**system, "upgradeSettings": {"maxSurge": "0"}}]
    return node(CLUSTER, "aks", {"resourceName": "aks", "agentPoolProfiles": profiles, **properties})


def pool(name: str, **properties: Value) -> Node:
    plain: dict[str, Value] = {"agentPoolName": name, "vmSize": "Standard_D4ds_v5", "count": 1}
    return node(AGENT_POOL, name, {**plain, "upgradeSettings": STILL, **properties}, resourceName=urn(CLUSTER, "aks"))


def _rule(id_: str) -> AnyRule:
    found = rule(id_)
    assert found is not None
    return found


def judged(id_: str, nodes: Iterable[Node], **settings: object) -> Result:
    found = _rule(id_)
    entry = configured(found, {"enforcementLevel": found.enforcement, **settings}, None, id_)
    (result,) = evaluate(View(graph=Graph(nodes)), [found], {id_: entry})
    return result


def messages(result: Result) -> list[str]:
    return [judgement.message for judgement in result.judgements]


@pytest.mark.parametrize(("pools", "verdict"), [(99, Verdict.PASS), (100, Verdict.FAIL)])
def test_a_cluster_has_a_hundred_pools_with_its_system_pool(pools: int, verdict: Verdict) -> None:
    result = judged("SCALE004", [cluster(), *(pool(f"p{number}") for number in range(pools))])
    assert result.verdict is verdict
    expected = ["the cluster has 101 pools, InfiniBand domains and system pool included, and AKS takes 100"]
    assert messages(result) == (expected if verdict is Verdict.FAIL else [])


def test_ten_pools_of_five_hundred_nodes_are_too_many_with_the_system_pool() -> None:
    pools = [pool(f"p{number}", count=500) for number in range(10)]
    result = judged("SCALE003", [cluster(), *pools])
    assert [judgement.amount for judgement in result.judgements] == [5003]


def test_a_thousand_resources_in_any_order_come_to_one_verdict() -> None:
    nodes = [cluster(), *(pool(f"p{number}", count=number % 11) for number in range(1_000))]
    results = []
    for seed in range(3):
        shuffled = nodes.copy()
        random.Random(seed).shuffle(shuffled)
        results.append([judged(id_, shuffled) for id_ in ("SCALE003", "SCALE004", "SCALE006")])
    assert results[0] == results[1] == results[2]
    # 90 whole rounds of 0 to 10, then 0 to 9, and three system nodes: 90 * 55 + 45 + 3.
    assert messages(results[0][0]) == []
    assert messages(results[0][1]) == [
        "the cluster has 1,001 pools, InfiniBand domains and system pool included, and AKS takes 100"
    ]


def test_a_free_control_plane_is_judged_in_a_stack_that_is_none_of_ours() -> None:
    nodes = [cluster(sku={"tier": "Free"}), pool("p", count=8)]
    result = judged("SCALE014", nodes)
    assert messages(result) == [
        "the control plane is Free, which is for up to 10 nodes, and there may be 11 with surge"
    ]
    assert judged("SCALE014", [nodes[0], pool("p", count=7)]).verdict is Verdict.PASS


def test_gpus_count_in_a_stack_that_is_none_of_ours() -> None:
    nodes = [cluster(), pool("nd", vmSize="Standard_ND96isr_H100_v5", count=2)]
    result = judged("SCALE006", nodes, maxGpus=15)
    assert [judgement.amount for judgement in result.judgements] == [16]
    assert judged("SCALE006", nodes, maxGpus=16).verdict is Verdict.PASS


@pytest.mark.parametrize("id_", ["SCALE001", "SCALE003", "SCALE006", "SCALE007", "SCALE021"])
@pytest.mark.parametrize("profiles", [UNKNOWN, [UNKNOWN]], ids=["all", "one"])
def test_inline_pools_that_nobody_knows_pass_no_rule(id_: str, profiles: Value) -> None:
    result = judged(id_, [cluster(agentPoolProfiles=profiles)])
    assert result.verdict is Verdict.UNDECIDED
    assert "is known only once Azure has made it" in messages(result)[0]


@pytest.mark.parametrize("id_", ["SCALE001", "SCALE003", "SCALE006", "SCALE007", "SCALE021"])
def test_inline_pools_that_are_no_mapping_fail(id_: str) -> None:
    result = judged(id_, [cluster(agentPoolProfiles=["system"])])
    assert (result.verdict, messages(result)) == (
        Verdict.FAIL,
        ["agentPoolProfiles[0] is the text 'system', not a mapping"],
    )


@pytest.mark.parametrize(
    "token",
    [
        "azure-native:containerservice/v20250801:AgentPool",
        "azure-native_containerservice_v20250801:containerservice:AgentPool",
    ],
)
def test_a_version_in_the_type_hides_no_node(token: str) -> None:
    hidden = node(token, "p", {**pool("p").properties, "count": 5_000}, resourceName=urn(CLUSTER, "aks"))
    result = judged("SCALE003", [cluster(), hidden])
    assert [judgement.amount for judgement in result.judgements] == [5003]


@pytest.mark.parametrize(("one", "example"), ALONE, ids=[f"{one.id}: {example.title}" for one, example in ALONE])
def test_a_rule_over_resources_says_the_same_of_each_alone(one: AnyRule, example: Example) -> None:
    entry = {one.id: configured(one, {"enforcementLevel": one.enforcement, **example.settings}, None, one.id)}
    whole = examples.view(example)
    (together,) = evaluate(whole, [one], entry)
    # What a pack gives a rule: a resource with the components that it belongs to, which have the specification.
    alone = [
        evaluate(View(graph=Graph([resource, *whole.graph.ancestors(resource)])), [one], entry)[0]
        for resource in whole.graph
        if resource.custom
    ]
    assert {(found.resource, found.verdict) for found in together.judgements} == {
        (found.resource, found.verdict) for result in alone for found in result.judgements
    }
    assert together.subjects == sum(result.subjects for result in alone)


@pytest.mark.parametrize("specification", ["{", "[" * 100_000, "{}", 7, ["x"], UNKNOWN], ids=range(6))
def test_a_specification_that_nobody_can_read_is_an_open_question(specification: Value) -> None:
    environment = node("gpufleet:environment:Environment", "s", {"specification": specification})
    result = judged("SCALE011", [environment])
    assert result.verdict is Verdict.UNDECIDED
    assert not result.judgements[0].raised


def test_a_group_for_each_region_never_fails_over() -> None:
    (example,) = [one for one in examples.of(_rule("SCALE011")) if one.title == "two regions in one group"]
    graph = examples.view(example).graph
    origins = [one for one in graph if "AFDOrigin:" in one.urn]
    groups = [node("azure-native:cdn:AFDOriginGroup", origin.name, {}) for origin in origins]
    regrouped = {
        origin.urn: replace(
            origin, property_dependencies={**origin.property_dependencies, "originGroupName": (group.urn,)}
        )
        for origin, group in zip(origins, groups, strict=True)
    }
    nodes = [*groups, *(regrouped.get(one.urn, one) for one in graph)]
    assert messages(judged("SCALE011", nodes)) == [
        "the largest of 2 origin groups has 1 region that serves, and production needs 2, so that one may be lost"
    ]


def test_two_origins_of_one_region_are_one_region() -> None:
    (example,) = [one for one in examples.of(_rule("SCALE011")) if one.title == "two regions in one group"]
    graph = examples.view(example).graph
    east = next(one for one in graph if one.urn.endswith("AFDOrigin::production-inference-front-door-origin-eastus"))
    host = {"hostName": east.property_dependencies["hostName"]}
    nodes = [
        replace(one, property_dependencies={**one.property_dependencies, **host}) if "AFDOrigin:" in one.urn else one
        for one in graph
    ]
    assert [judgement.amount for judgement in judged("SCALE011", nodes).judgements] == [1]

"""Regions, clusters, pools and domains out of the graph; what nobody can read is said, and stops nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpufleet.graph import UNKNOWN, Graph, Node, Value
from gpufleet.report.mermaid import flowchart
from gpufleet.report.pictures import chart, largest, picture
from gpufleet.report.topology import NOWHERE, Cluster, NodePool, Region, topology
from tests.report.samples import NASTY, committed


def pools(stack: str) -> dict[tuple[str, str, str], str]:
    return {
        (region.name, cluster.label, pool.name): f"{pool.size}, {pool.nodes}, {pool.fabric or 'no InfiniBand'}"
        for region in topology(committed(stack)[1])
        for cluster in region.clusters
        for pool in cluster.pools
    }


def test_prod() -> None:
    found = pools("prod")
    assert {region for region, _, _ in found} == {"eastus", "japaneast", "swedencentral"}
    assert found["eastus", "training/frontier", "h100"] == "ND96isr_H100_v5, 8 to 64 nodes, 1 InfiniBand domain"
    assert found["eastus", "inference/eastus", "ncspot"] == "NC80adis_H100_v5, 0 to 12 nodes, no InfiniBand"
    assert found["japaneast", "inference/japaneast", "code"] == "NC40ads_H100_v5, 1 to 3 nodes, no InfiniBand"
    assert len(found) == 15


def test_frontier_has_125_domains_in_three_pools() -> None:
    found = [pool for region in topology(committed("frontier")[1]) for pool in region.clusters[0].pools if pool.domains]
    assert [len(pool.domains) for pool in found] == [42, 42, 41]
    assert sum(sum(pool.domains) for pool in found) == 12500


def changed(graph: Graph, **properties: Value) -> Graph:
    def change(node: Node) -> Node:
        if node.properties.get("agentPoolName", "").startswith("h100"):  # type: ignore[union-attr]
            return replace(node, properties={**node.properties, **properties})
        return node

    return Graph(change(node) for node in graph)


@pytest.mark.parametrize("value", [UNKNOWN, "8", None])
def test_a_number_that_nobody_can_read_is_unknown(value: Value) -> None:
    graph = changed(committed("prod")[1], maxCount=value)
    (pool,) = [
        pool for one in topology(graph) for cluster in one.clusters for pool in cluster.pools if pool.name == "h100"
    ]
    assert (pool.nodes, pool.size) == ("an unknown number of nodes", "ND96isr_H100_v5")
    assert "an unknown number of nodes" in flowchart(topology(graph))
    assert next(picture(region, 10).summary for region in topology(graph)).endswith(", some sizes unknown")


def test_a_size_that_nobody_can_read_has_no_domains() -> None:
    graph = changed(committed("prod")[1], vmSize=UNKNOWN)
    (pool,) = [
        pool for one in topology(graph) for cluster in one.clusters for pool in cluster.pools if pool.name == "h100"
    ]
    assert (pool.size, pool.domains, pool.gpus) == ("?", (), 0)


def test_a_graph_of_pools_alone_has_no_regions() -> None:
    _, graph, _ = committed("prod")
    alone = Graph(replace(node, parent="") for node in graph if node.type.endswith(":AgentPool"))
    (region,) = topology(alone)
    assert (region.name, [cluster.label for cluster in region.clusters]) == (NOWHERE, ["environment"])
    assert topology(Graph([])) == ()


def test_no_name_is_syntax_of_the_flowchart() -> None:
    pool = NodePool(name=NASTY, size=NASTY, spot=None, least=None, most=None, domains=(), gpus=0)
    cluster = Cluster(label=NASTY, name=NASTY, pools=(pool,))
    lines = flowchart((Region(name=NASTY, clusters=(cluster,)),)).splitlines()
    assert len(lines) == 6
    assert all(line.count('"') in {0, 2} for line in lines)
    assert "<b>" not in "".join(lines)


def test_the_chart_is_to_scale() -> None:
    _, _, estimate = committed("prod")
    drawn = chart(estimate)
    whole, first = drawn.bars[:2]
    assert (whole.label, whole.whole, first.label) == ("all", True, "training frontier")
    room = drawn.right - drawn.left
    assert whole.left + whole.width == pytest.approx(drawn.left + room * 5513694.55 / 6200000, abs=0.2)
    assert drawn.budget_at == drawn.right
    assert all(drawn.left <= bar.left <= bar.mark <= bar.left + bar.width + 1 <= drawn.right + 1 for bar in drawn.bars)


def test_a_broken_budget_stays_in_the_picture() -> None:
    _, _, estimate = committed("prod")
    drawn = chart(replace(estimate, budget=estimate.budget / 10))
    assert drawn.left < drawn.budget_at < drawn.bars[0].left + drawn.bars[0].width <= drawn.right
    assert chart(replace(estimate, lines=(), budget=estimate.budget * 0)).bars[0].ceiling == "$0.00"


def test_many_components_are_one_at_the_end() -> None:
    _, _, estimate = committed("prod")
    lines = tuple(
        replace(line, origin=replace(line.origin, component=f"part {number}"))
        for number, line in enumerate(estimate.lines)
    )
    bars = chart(replace(estimate, lines=lines)).bars
    assert (len(bars), bars[-1].label) == (17, f"{len(lines) - 15} others")


def test_pools_do_not_overlap_and_stay_inside() -> None:
    for stack in ("prod", "frontier"):
        regions = topology(committed(stack)[1])
        for region in regions:
            drawn = picture(region, largest(regions))
            bottom = 0
            for cluster in drawn.clusters:
                assert cluster.y > bottom
                bottom = cluster.y + cluster.height
                tops = [pool.y for pool in cluster.pools]
                assert tops == sorted(tops)
                for pool in cluster.pools:
                    assert pool.y + 34 <= bottom
                    assert all(
                        square.y + square.size <= bottom and square.x + square.size <= drawn.width
                        for square in pool.squares
                    )
                    assert pool.bar is None or pool.bar[0] + pool.bar[2] <= drawn.width
            assert bottom <= drawn.height

from __future__ import annotations

import pytest

from gpufleet.graph import SECRET, UNKNOWN, Graph, Node

STACK = Node(urn="s", type="pulumi:pulumi:Stack", name="s", parent="", custom=False)
FABRIC = Node(urn="f", type="gpufleet:training:TrainingFabric", name="lab", parent="s", custom=False)
CLUSTER = Node(urn="c", type="azure-native:containerservice:ManagedCluster", name="aks", parent="f", custom=True)
POOL = Node(
    urn="b",
    type="azure-native:containerservice:AgentPool",
    name="pool",
    parent="f",
    custom=True,
    properties={"vmSize": "x", "gpuProfile": {"driver": "None"}, "resourceName": UNKNOWN, "list": [{"a": SECRET}]},
    property_dependencies={"resourceName": ("c", "gone"), "vmSize": ()},
)
GRAPH = Graph([STACK, POOL, FABRIC, CLUSTER])


def test_nodes_are_sorted_by_urn_whatever_order_they_came_in() -> None:
    assert [node.urn for node in GRAPH] == ["b", "c", "f", "s"]
    assert Graph([CLUSTER, FABRIC, STACK, POOL]) == GRAPH


def test_two_nodes_with_one_urn_are_refused() -> None:
    with pytest.raises(ValueError, match="two resources have the URN c"):
        Graph([CLUSTER, STACK, CLUSTER])


def test_a_node_is_found_by_urn_and_by_type() -> None:
    assert GRAPH.node("c") is CLUSTER
    assert GRAPH.find("nothing") is None
    with pytest.raises(KeyError):
        GRAPH.node("nothing")
    assert GRAPH.of(CLUSTER.type, POOL.type) == (POOL, CLUSTER)


def test_the_tree_is_walked_both_ways() -> None:
    assert GRAPH.children(FABRIC) == (POOL, CLUSTER)
    assert GRAPH.children(POOL) == ()
    assert list(GRAPH.ancestors(POOL)) == [FABRIC, STACK]
    assert GRAPH.ancestor(POOL, FABRIC.type) is FABRIC
    assert GRAPH.ancestor(POOL, "gpufleet:nothing") is None


def test_a_circle_of_parents_ends() -> None:
    one, other = (
        Node(urn=urn, type="t", name=urn, parent=parent, custom=False) for urn, parent in (("1", "2"), ("2", "1"))
    )
    assert list(Graph([one, other]).ancestors(one)) == [other]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("vmSize",), "x"),
        (("gpuProfile", "driver"), "None"),
        (("gpuProfile", "missing"), None),
        (("vmSize", "deeper"), None),
        (("resourceName", "deeper"), UNKNOWN),
        (("list", 0, "a"), SECRET),
        (("list", 1, "a"), None),
        (("list", "0"), None),
    ],
)
def test_a_property_is_read_by_path(path: tuple[str | int, ...], value: object) -> None:
    assert POOL.at(*path) == value


def test_a_property_leads_to_the_nodes_it_is_made_from() -> None:
    assert GRAPH.sources(POOL, "resourceName") == (CLUSTER,)
    assert GRAPH.sources(POOL, "resourceName", FABRIC.type) == ()
    assert GRAPH.sources(POOL, "missing") == ()


def test_masks_are_not_text() -> None:
    assert not isinstance(UNKNOWN, str)
    assert repr([UNKNOWN, SECRET]) == "[[unknown], [secret]]"

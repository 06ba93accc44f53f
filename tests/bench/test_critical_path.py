from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from bench import critical_path
from bench.critical_path import MINUTES, CriticalPath, Hop, Measured, Wait, graph_of, order, paths, waits
from gpufleet.catalog import limits
from gpufleet.graph import Graph, Node

CLUSTER, POOL = "azure-native:containerservice:ManagedCluster", "azure-native:containerservice:AgentPool"
GROUP, LUSTRE = "azure-native:resources:ResourceGroup", "azure-native:storagecache:AmlFilesystem"
RELEASE, PROVIDER = "kubernetes:helm.sh/v3:Release", "pulumi:providers:kubernetes"


def node(
    type_: str, name: str, *after: str, by: Mapping[str, tuple[str, ...]] | None = None, provider: str = ""
) -> Node:
    made_from = by or {}
    return Node(
        urn=name,
        type=type_,
        name=name,
        parent="",
        custom=True,
        property_dependencies=made_from,
        dependencies=tuple(sorted({*after, *(urn for urns in made_from.values() for urn in urns)})),
        provider=provider,
    )


def fabric(*more: Node, pool_after: tuple[str, ...] = ()) -> Graph:
    in_group = {"resourceGroupName": ("rg",)}
    return Graph(
        [
            node(GROUP, "rg"),
            node(CLUSTER, "aks", by=in_group),
            node(POOL, "pool", *pool_after, by={**in_group, "resourceName": ("aks",)}),
            node(LUSTRE, "lustre", by=in_group),
            *more,
        ]
    )


def test_the_path_is_the_longest_chain_of_what_azure_orders() -> None:
    azure, program = paths(fabric())
    # A group 1 s, a cluster 360 s, a pool 480 s; Lustre's 720 s run beside them.
    assert azure == program == CriticalPath(seconds=841, names=("rg", "aks", "pool"))


def test_an_order_of_ours_lengthens_the_programs_path_alone() -> None:
    azure, program = paths(fabric(pool_after=("lustre",)))
    assert azure == CriticalPath(seconds=841, names=("rg", "aks", "pool"))
    assert program == CriticalPath(seconds=1201, names=("rg", "lustre", "pool"))


def test_releases_wait_for_their_cluster_and_take_their_time() -> None:
    api = node(PROVIDER, "k8s", by={"kubeconfig": ("aks",)})
    first = node(RELEASE, "first", provider="k8s")
    second = node(RELEASE, "second", "first", provider="k8s")
    third = node(RELEASE, "third", "second", provider="k8s")
    azure, program = paths(fabric(api, first, second, third))
    assert azure.seconds == 841  # 1 + 360 + 240 is shorter than by way of the pool
    assert program == CriticalPath(seconds=1081, names=("rg", "aks", "k8s", "first", "second", "third"))


def test_a_release_that_is_not_awaited_takes_none() -> None:
    skipping = Node(
        urn="r", type=RELEASE, name="r", parent="", custom=True, properties={"skipAwait": True}, dependencies=()
    )
    assert critical_path.seconds_of()(skipping) == 0
    assert critical_path.seconds_of()(node(RELEASE, "s")) == 240
    assert critical_path.seconds_of({})(node(RELEASE, "s")) == 120


def test_what_waits_for_what_names_the_properties() -> None:
    graph = fabric(pool_after=("lustre",))
    assert sorted(waits(graph, graph.node("pool")), key=lambda wait: wait.needs) == [
        Wait(needs="aks", by=("resourceName",)),
        Wait(needs="lustre", by=("dependsOn",)),
        Wait(needs="rg", by=("resourceGroupName",)),
    ]


@pytest.fixture(scope="module", params=["dev", "staging", "prod", "frontier"])
def stack(request: pytest.FixtureRequest) -> Graph:
    return graph_of(request.param)


@pytest.mark.parametrize("minutes", [MINUTES, {}], ids=["planned", "table"])
def test_the_programs_order_costs_a_tenth_of_azures_path_at_most(stack: Graph, minutes: dict[str, float]) -> None:
    azure, program = paths(stack, minutes)
    assert azure.seconds <= program.seconds <= 1.1 * azure.seconds


def test_no_pool_waits_for_another_nor_for_operators_or_storage(stack: Graph) -> None:
    kinds = {stack.node(wait.needs).type for pool in stack.of(POOL) for wait in waits(stack, pool)}
    assert kinds == {CLUSTER, GROUP, "azure-native:network:Subnet"}


def test_frontiers_pools_are_one_wave() -> None:
    """Each pool has a bucket of 20 writes of its own: what Resource Manager takes at once is all that bounds them."""
    pools = graph_of("frontier").of(POOL)
    assert len(pools) == 128
    assert len(pools) <= limits.value("arm.subscription_write_burst")


def test_every_row_of_the_order_says_why() -> None:
    assert len(order()) >= 25
    for row in order():
        assert list(row) == ["type", "needs", "by", "why"]
        assert all(row.values()), row


def test_what_was_measured_outlives_its_process(tmp_path: Path) -> None:
    path = CriticalPath(seconds=860, names=("rg", "aks"))
    measured = Measured(
        environment="prod",
        scale=0.05,
        wall=51.6,
        azure=path,
        program=CriticalPath(seconds=865, names=("rg", "x", "aks")),
        hops=(Hop(name="aks", waited=0.5, took=18, ours=True), Hop(name="rg", waited=1, took=0.1, ours=False)),
    )
    assert measured.ratio == pytest.approx(1.2)
    assert measured.ratio_at_azures_pace == pytest.approx(1 + 8.6 / 860)
    (tmp_path / "m.json").write_text(json.dumps(asdict(measured)))
    back = Measured.read(tmp_path / "m.json")
    assert asdict(back) == json.loads(json.dumps(asdict(measured))) | {
        "azure": asdict(back.azure),
        "program": asdict(back.program),
        "hops": (asdict(back.hops[0]), asdict(back.hops[1])),
    }
    text = "\n".join(critical_path.markdown([measured]))
    assert "| prod | 0.05 | 51.6 | 43.0 | 1.20 | 1.010 | 1.006 |" in text
    assert "rg 1.0 + 0.1 → aks 0.5 + 18.0 (ours)" in text
    assert "| prod | rg → aks | 860 |" in text
    assert critical_path.markdown([]) == []

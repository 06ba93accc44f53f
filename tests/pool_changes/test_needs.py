"""Running jobs from a cluster's objects, and what a change would take from them."""

from __future__ import annotations

import pytest

from gpufleet.pool_changes.changes import pool_changes
from gpufleet.pool_changes.jobs import ClusterObjects, Job, agent_pool_of, jobs_of
from gpufleet.pool_changes.needs import Shortfall, shortfalls
from gpufleet.pool_changes.pools import AgentPool
from tests.pool_changes.objects import Json, agent_pool, node, pod, workload

POOLS = [agent_pool("h10001aa"), agent_pool("h10002aa")]


def jobs(*workloads: Json, pods: tuple[Json, ...] = (), **more: tuple[Json, ...]) -> tuple[Job, ...]:
    return jobs_of(ClusterObjects(workloads=workloads, pods=pods, **more), POOLS)


def short(before: list[AgentPool], after: list[AgentPool], found: tuple[Job, ...]) -> list[tuple[str, int, int]]:
    return [(one.agent_pool, one.wanted, one.needed) for one in all_short(before, after, found) if one.certain]


def all_short(before: list[AgentPool], after: list[AgentPool], found: tuple[Job, ...]) -> tuple[Shortfall, ...]:
    return shortfalls(pool_changes(before, after), found, scope="lab")


@pytest.mark.parametrize(
    ("name", "pool"),
    [
        ("aks-h10001aa-31415926-vmss00000a", "h10001aa"),
        ("aks-h10001aa-31415926-vms00000a", ""),
        ("node-1", ""),
    ],
)
def test_the_name_of_a_node_tells_its_pool(name: str, pool: str) -> None:
    assert agent_pool_of(name) == pool


def test_a_placed_job() -> None:
    held = (node("h10002aa", 0), node("h10002aa", 3))
    (found,) = jobs(workload("bloom", nodes=held))
    assert found == Job(name="nlp/bloom", team="nlp-queue", pool="h100", count=2, nodes=frozenset(held))


@pytest.mark.parametrize(
    "values",
    [
        {"roots": [node("h10001aa", 0), node("h10001aa", 1)]},
        {"prefix": "aks-h10001aa-31415926-vmss00000", "roots": ["0", "1"]},
        {"prefix": "aks-", "suffix": "-31415926-vmss000000", "roots": ["h10001aa", "h10002aa"]},
    ],
)
def test_a_placement_as_kueue_packs_it(values: Json) -> None:
    packed = [{"domainCount": 2, "valuesPerLevel": [{"individual": values}], "podCounts": {"universal": 1}}]
    topology = {"levels": ["kubernetes.io/hostname"], "slices": packed}
    (found,) = jobs(workload("bloom", count=2, topology=topology))
    other = node("h10002aa", 0) if "suffix" in values else node("h10001aa", 1)
    assert found.nodes == {node("h10001aa", 0), other}


def test_a_placement_on_one_node() -> None:
    values = [{"universal": node("h10001aa", 0)}]
    topology = {"levels": ["kubernetes.io/hostname"], "slices": [{"domainCount": 1, "valuesPerLevel": values}]}
    assert jobs(workload("a", count=1, topology=topology))[0].nodes == {node("h10001aa", 0)}


@pytest.mark.parametrize(("pods", "gpus", "nodes"), [(3, 8, 3), (3, 5, 3), (8, 1, 1), (9, 1, 2), (4, 4, 2)])
def test_pods_that_share_a_node_need_fewer(pods: int, gpus: int, nodes: int) -> None:
    one = workload("a", count=pods, gpus=gpus)
    del one["status"]["admission"]["podSetAssignments"][0]["resourceUsage"]["cpu"]
    assert [job.count for job in jobs(one)] == [nodes]


def test_the_label_of_a_flavor_tells_the_pool() -> None:
    flavor = {"metadata": {"name": "lab-h100"}, "spec": {"nodeLabels": {"gpufleet.io/pool": "h100"}}}
    (found,) = jobs(workload("a", count=1, flavor="lab-h100"), flavors=(flavor,))
    assert found.pool == "h100"


def test_who_waits_or_has_ended_holds_nothing() -> None:
    waiting = workload("a", count=1)
    waiting["status"]["admission"] = None
    ended = workload("b", count=1, conditions=[{"type": "Finished", "status": "True"}])
    reclaimed = workload("c", count=2, reclaimablePods=[{"name": "main", "count": 2}])
    assert jobs(waiting, ended, reclaimed) == ()
    assert [job.count for job in jobs(workload("d", count=3, reclaimablePods=[{"name": "main", "count": 1}]))] == [2]


def test_pods_outside_of_the_queue_count_too() -> None:
    here = node("h10001aa", 2)
    found = jobs(
        workload("a", nodes=(node("h10001aa", 0),)),
        pods=(
            pod("a-0", node("h10001aa", 0)),  # the workload's own
            pod("debug", here, owner="Job"),
            pod("exporter", node("h10001aa", 3), owner="DaemonSet"),
            pod("cpu", node("h10001aa", 3), resource="cpu"),
            {**pod("done", node("h10001aa", 3)), "status": {"phase": "Succeeded"}},
        ),
    )
    assert [(job.name, job.nodes) for job in found] == [
        ("nlp/a", frozenset({node("h10001aa", 0)})),
        ("vision/debug-owner", frozenset({here})),
    ]


def test_pods_by_resource_claims_count() -> None:
    one = pod("gb300", node("h10001aa", 0), resource="cpu")
    one["spec"]["resourceClaims"] = [{"name": "gpu"}]
    assert [job.count for job in jobs(pods=(one,))] == [1]


def test_labels_of_a_node_go_before_its_name() -> None:
    label = {"metadata": {"name": "somewhere", "labels": {"gpufleet.io/pool": "h100"}}}
    assert [job.pool for job in jobs(pods=(pod("a", "somewhere"),), nodes=(label,))] == ["h100"]
    assert jobs(pods=(pod("a", "somewhere"),)) == ()


def test_a_job_in_the_domain_that_goes() -> None:
    busy = jobs(workload("a", nodes=(node("h10002aa", 0),)))
    assert short(POOLS, POOLS[:1], busy) == [("h10002aa", 0, 1)]
    assert short(POOLS, POOLS[:1], jobs(workload("a", nodes=(node("h10001aa", 0),)))) == []


def test_jobs_whose_place_is_not_known_must_fit_into_what_stays() -> None:
    assert short(POOLS, POOLS[:1], jobs(workload("a", count=4))) == []
    assert short(POOLS, POOLS[:1], jobs(workload("a", count=3), workload("b", count=2))) == [("", 4, 5)]


def test_fewer_nodes_in_a_domain() -> None:
    smaller = [POOLS[0], agent_pool("h10002aa", nodes=2)]
    three = jobs(workload("a", nodes=tuple(node("h10002aa", number) for number in range(3))))
    assert short(POOLS, smaller, three) == [("h10002aa", 2, 3)]
    # Two would fit, but AKS chooses which nodes go.
    two = jobs(workload("a", nodes=tuple(node("h10002aa", number) for number in range(2))))
    (risk,) = all_short(POOLS, smaller, two)
    assert (risk.certain, risk.wanted, risk.needed) == (False, 2, 2)


def test_a_rotation_takes_every_node() -> None:
    new = [agent_pool("h10001bb", osDiskSizeGB=512), agent_pool("h10002bb", osDiskSizeGB=512)]
    assert short(POOLS, new, jobs(workload("a", count=1))) == [("", 0, 1)]
    assert short(POOLS, new, ()) == []


def test_jobs_of_other_pools_and_growth_do_not_matter() -> None:
    other = jobs(workload("a", count=1, flavor="data"))
    assert short(POOLS, [], other) == []
    assert short(POOLS, [*POOLS, agent_pool("h10003aa")], jobs(workload("a", count=8))) == []

from __future__ import annotations

import pytest

from gpufleet.spec import Severity, parse
from gpufleet.spec.teams import reachable_nodes, teams
from tests.spec.environments import POOL, Case, cases, changed, judge, verdict

_TEAMS = ("training", 0, "queue", "teams")
_A: dict[str, object] = {"name": "vision", "nominalNodes": {"h100": 5}}
_B: dict[str, object] = {"name": "text", "nominalNodes": {"h100": 3}}


def _teams(*teams: dict[str, object]) -> dict[tuple[str | int, ...], object]:
    return {_TEAMS: list(teams)}


@cases(
    Case(
        "more than the pool has",
        _teams(_A, {**_B, "nominalNodes": {"h100": 4}}),
        "training[0].queue.teams",
        "the teams own 5 + 4 = 9 nodes of h100, which has 8 at the most",
        _teams(_A, _B),
    ),
    Case(
        "less than the pool has",
        _teams(_A),
        "training[0].queue.teams",
        "3 of 8 nodes of h100 belong to no team, so no job ever gets them",
        _teams(_A, _B),
        severity=Severity.WARNING,
    ),
    Case(
        "a name twice",
        _teams(_A, {**_B, "name": "vision"}),
        "training[0].queue.teams[1].name",
        "is the same as the name of training[0].queue.teams[0]",
    ),
    Case(
        "an unknown pool",
        _teams(_A, {**_B, "borrowingNodes": {"h200": 1}}),
        "training[0].queue.teams[1].borrowingNodes.h200",
        "h200 is no pool of the fabric",
        _teams(_A, {**_B, "borrowingNodes": {"h100": 1}}),
    ),
    Case(
        "a pool without GPUs",
        _teams(_A, {**_B, "nominalNodes": {"h100": 3, "data": 1}}),
        "training[0].queue.teams[1].nominalNodes.data",
        "data is a pool without GPUs",
    ),
    Case(
        "lends what it hasn't",
        _teams(_A, {**_B, "lendingNodes": {"h100": 4}}),
        "training[0].queue.teams[1].lendingNodes.h100",
        "text can't lend 4 nodes of its 3",
        _teams(_A, {**_B, "lendingNodes": {"h100": 3}}),
    ),
    Case(
        "a name that is none of Kubernetes'",
        _teams(_A, {**_B, "name": "Text"}),
        "training[0].queue.teams[1].name",
        'the text "Text" is not a name of 1 to 30 lower-case letters, digits and inner hyphens that starts with '
        "a letter",
    ),
    Case(
        "too old for gangs on autoscaled pools",
        {("training", 0, "cluster", "kubernetesVersion"): "1.32"},
        "training[0].cluster.kubernetesVersion",
        "1.32 can't scale up for a whole gang at once: the first nodes would bill while the last are missing",
        {("training", 0, "cluster", "kubernetesVersion"): "1.33"},
    ),
)
def test_queues(case: Case) -> None:
    judge(case)


def test_a_fixed_pool_needs_no_scale_up() -> None:
    value = changed({("training", 0, "cluster", "kubernetesVersion"): "1.32", (*POOL, "nodes"): 8})
    assert [problem.key for problem in verdict(value)] == []


def test_more_pools_than_a_queue_has_flavors() -> None:
    pools: dict[tuple[str | int, ...], object] = {
        ("training", 0, "pools", 2 + index): {
            "name": f"p{index}",
            "sku": "Standard_NC24ads_A100_v4",
            "nodes": {"min": 0, "max": 1},
        }
        for index in range(64)
    }
    messages = [problem.message for problem in verdict(changed(pools))]
    assert "65 GPU pools are more than the 64 that a queue can give out" in messages
    del pools["training", 0, "pools", 65]
    assert not [message for message in (problem.message for problem in verdict(changed(pools))) if "queue" in message]


def test_without_teams_one_has_every_gpu_node() -> None:
    fabric = parse(changed({})).environment.training[0]
    (only,) = teams(fabric)
    assert (only.name, only.nominal_nodes) == ("default", {"h100": 8})


@pytest.mark.parametrize(
    ("vision", "text", "expected"),
    [
        ({}, {}, (8, 8)),
        ({"borrowingNodes": {"h100": 1}}, {}, (6, 8)),
        ({}, {"lendingNodes": {"h100": 0}}, (5, 8)),
        ({"borrowingNodes": {"h100": 2}}, {"lendingNodes": {"h100": 1}}, (6, 8)),
    ],
    ids=["no limits", "borrows one", "lends nothing", "the lesser counts"],
)
def test_what_a_team_can_get(vision: dict[str, object], text: dict[str, object], expected: tuple[int, int]) -> None:
    fabric = parse(changed(_teams({**_A, **vision}, {**_B, **text}))).environment.training[0]
    first, second = fabric.queue.teams
    assert (reachable_nodes(fabric, first, "h100"), reachable_nodes(fabric, second, "h100")) == expected

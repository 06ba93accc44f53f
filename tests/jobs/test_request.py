"""What is refused, with the number and what would do."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.errors import ConfigurationError
from gpufleet.jobs.render import render
from gpufleet.jobs.request import JobKind, resolve
from gpufleet.spec import Environment
from tests.jobs.jobs import IMAGE, QUEUE, WORKLOAD, environment, of_size, request
from tests.spec.environments import GONE, POOL

_TEAMS = {
    "teams": [
        {"name": "vision", "nominalNodes": {"h100": 5}, "borrowingNodes": {"h100": 1}},
        {"name": "text", "nominalNodes": {"h100": 3}},
        {"name": "guests", "nominalNodes": {}, "borrowingNodes": {"h100": 0}},
    ]
}
_SECOND = {"name": "a100", "sku": "Standard_ND96amsr_A100_v4", "nodes": 4}


def refused(where: Environment, **fields: Any) -> str:  # noqa: ANN401 whatever the request has
    with pytest.raises(ConfigurationError) as error:
        render(where, request(**fields))
    return str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "LLM"}, "--name LLM: not a job's name\n"),
        ({"name": "x" * 41}, "not a job's name"),
        ({"image": "ghcr.io/example/train:latest"}, "--image ghcr.io/example/train:latest: not pinned by a digest\n"),
        ({"image": f"{IMAGE}0"}, "not pinned by a digest"),
        ({"image": IMAGE.upper()}, "not pinned by a digest"),
        ({"command": ()}, "no command is given\n"),
        ({"nodes": 0}, "--nodes 0: a job has one node at least"),
        ({"kind": JobKind.JOB, "nodes": 2}, "--kind job: a plain Job has no gang, and 2 nodes are asked for\n"),
        ({"nodes": 9}, "--nodes 9: pool h100 has 8 at the most"),
        ({"fabric": "labb"}, "--fabric labb: the environment has no such fabric\nDid you mean lab?"),
        ({"team": "vision"}, "--team vision: fabric lab has no such team\nThere is default."),
        ({"pool": "data"}, "--pool data: fabric lab, with GPUs, has no such pool\nThere is h100."),
        (
            {"checkpoint_directory": "/tmp/x"},
            "--checkpoint-dir /tmp/x: not on storage that outlives a node\nJobs on pool h100 see /lustre.",
        ),
        ({"checkpoint_directory": "/scratch/x"}, "not on storage that outlives a node"),
        ({"checkpoint_directory": "/lustre/../scratch"}, "not on storage that outlives a node"),
        ({"checkpoint_directory": "/lustrex"}, "not on storage that outlives a node"),
    ],
)
def test_refusals(fields: dict[str, Any], message: str) -> None:
    assert message in refused(of_size("h100"), **fields)


def test_a_gang_stays_in_its_domain() -> None:
    wide = environment({(*POOL, "nodes"): 250})
    assert refused(wide, nodes=101).startswith(
        "--nodes 101: an InfiniBand domain of pool h100 has 100 at the most, and a job stays in one"
    )
    assert resolve(wide, request(nodes=100)).pool.name == "h100"


@pytest.mark.parametrize(
    ("team", "nodes", "message"),
    [
        (
            "vision",
            7,
            "--nodes 7: team vision has 5 nodes of pool h100 and may borrow 1, so the job would wait for ever",
        ),
        ("guests", 1, "team guests has no nodes of fabric lab and none to borrow"),
        (None, 1, "fabric lab has 3 teams, and none is named\nAdd --team: vision, text, guests."),
    ],
)
def test_shares(team: str | None, nodes: int, message: str) -> None:
    where = environment({QUEUE: _TEAMS})
    assert message in refused(where, team=team, nodes=nodes)


def test_a_team_borrows_up_to_its_limit() -> None:
    where = environment({QUEUE: _TEAMS})
    assert resolve(where, request(team="vision", nodes=6)).team.name == "vision"
    assert resolve(where, request(team="text", nodes=8)).team.name == "text"


def test_several_pools_must_be_told_apart() -> None:
    where = environment({("training", 0, "pools", 2): _SECOND})
    assert refused(where) == "team default has 2 pools, and none is named\nAdd --pool: h100, a100."
    assert resolve(where, request(pool="a100")).size.gpu_model == "NVIDIA A100 SXM4 80GB"


def test_spot_is_for_jobs_that_resume() -> None:
    where = environment({(*POOL, "sku"): "Standard_NC80adis_H100_v5", (*POOL, "priority"): "spot"})
    assert refused(where, kind=JobKind.JOB).startswith("pool h100 is spot: Azure takes its nodes back with 30 seconds'")
    assert resolve(where, request(JobKind.JOB, resume=True)).is_spot
    gang = refused(where, resume=True, nodes=2)
    assert gang.startswith("pool h100 is spot, and a gang of 2 nodes stops with each that Azure takes back")


def test_racks_need_resource_claims() -> None:
    where = environment({(*POOL, "sku"): "Standard_ND128isr_GB300_v6"})
    assert "claim their NVLink domain by Dynamic Resource Allocation, and fabric lab has the GPU stack operator" in (
        refused(where)
    )


def test_resuming_needs_an_interval() -> None:
    where = environment({WORKLOAD: GONE})
    assert refused(where, resume=True).startswith("--resume: fabric lab declares no workload")
    assert render(where, request()).checkpointing is None


def test_no_fabric_and_no_gpus() -> None:
    with pytest.raises(ConfigurationError, match="has no training fabric"):
        resolve(environment({("training",): []}), request())
    with pytest.raises(ConfigurationError, match="fabric lab has no GPU pool, and so no queue"):
        resolve(
            environment({("training", 0, "pools"): [{"name": "d", "sku": "Standard_D4ds_v5", "nodes": 1}]}), request()
        )

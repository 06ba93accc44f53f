from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.catalog import node_capacity, sizes
from gpufleet.jobs.pod import LAUNCHER_CPUS, LAUNCHER_MEMORY_GIB, MOST_GRACE_SECONDS
from gpufleet.jobs.render import render
from gpufleet.jobs.request import JobKind
from gpufleet.sizing.checkpoint import availability_optimal_seconds
from gpufleet.sizing.fabric import job_on
from gpufleet.sizing.failures import mtbf_hours
from gpufleet.spec.queue import JobPriority
from tests.jobs.jobs import GOLDEN, QUEUE, RACKS, SIZES, documents, environment, of_size, request
from tests.spec.environments import POOL


def _pods(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Every pod spec of a job's manifests."""
    found: list[dict[str, Any]] = []
    parts: list[Any] = [manifest]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if "containers" in part:
                found.append(part)
            parts += part.values()
        elif isinstance(part, list):
            parts += part
    return found


def test_golden_files_are_current() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.yaml")} == dict(documents())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", JobKind)
def test_a_pod_takes_the_whole_node_and_no_more(kind: JobKind, size: str) -> None:
    capacity = node_capacity.of(sizes.get(SIZES[size]))
    pods = [pod for manifest in render(of_size(size), request(kind)).manifests for pod in _pods(manifest)]
    cpus = sum(pod["containers"][0]["resources"]["requests"]["cpu"] for pod in pods)
    memory = sum(int(pod["containers"][0]["resources"]["requests"]["memory"].removesuffix("Gi")) for pod in pods)
    assert (cpus, memory) == (capacity.cpus, capacity.memory_gib)
    assert len(pods) == (2 if kind is JobKind.MPI_JOB else 1)
    for pod in pods:
        assert pod["containers"][0]["resources"]["requests"] == pod["containers"][0]["resources"]["limits"]
    worker = next(pod["containers"][0] for pod in pods if pod["containers"][0]["name"] == "node")
    asked = worker["resources"]["limits"]
    assert asked.get("rdma/ib") == capacity.rdma_devices
    assert asked.get(capacity.gpu_resource) == (None if size in RACKS else capacity.gpus)
    assert "IPC_LOCK" in worker["securityContext"]["capabilities"]["add"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in worker["volumeMounts"]


@pytest.mark.parametrize("kind", JobKind)
def test_submit_order_and_names(kind: JobKind) -> None:
    job = render(of_size("gb300"), request(kind, name="a"))
    order = [manifest["kind"] for manifest in job.manifests]
    nvlink = [] if kind is JobKind.JOB else ["ComputeDomain"]
    last = {JobKind.TRAIN_JOB: ["TrainingRuntime", "TrainJob"], JobKind.MPI_JOB: ["MPIJob"], JobKind.JOB: ["Job"]}[kind]
    assert order == ["ResourceClaimTemplate", *nvlink, *last]
    assert {manifest["metadata"]["namespace"] for manifest in job.manifests} == {"team-default"}
    queued = ["kueue.x-k8s.io/queue-name" in manifest["metadata"]["labels"] for manifest in job.manifests]
    assert queued == [False] * (len(order) - 1) + [True]


def test_no_device_is_asked_for_twice() -> None:
    (pod,) = _pods(
        render(environment({("training", 0, "cluster", "gpuStack"): "operator-dra"}), request()).manifests[2]
    )
    assert "nvidia.com/gpu" not in pod["containers"][0]["resources"]["limits"]
    assert pod["containers"][0]["resources"]["claims"] == [{"name": "gpus"}]


@pytest.mark.parametrize(
    ("team", "asked", "expected"), [("vision", None, "high"), ("text", None, "normal"), ("vision", "low", "low")]
)
def test_priority(team: str, asked: str | None, expected: str) -> None:
    where = environment(
        {
            QUEUE: {
                "teams": [
                    {"name": "vision", "nominalNodes": {"h100": 5}, "priority": "high"},
                    {"name": "text", "nominalNodes": {"h100": 3}},
                ]
            }
        }
    )
    job = render(where, request(team=team, priority=JobPriority(asked) if asked else None))
    assert job.manifests[-1]["metadata"]["labels"]["kueue.x-k8s.io/priority-class"] == expected


def _interval(nodes: int) -> int:
    where = environment({(*POOL, "nodes"): 100})
    job = render(where, request(nodes=nodes, resume=True))
    (pod,) = [pod for manifest in job.manifests for pod in _pods(manifest)]
    return next(int(v["value"]) for v in pod["containers"][0]["env"] if v["name"] == "CHECKPOINT_INTERVAL_SECONDS")


@given(nodes=st.integers(1, 50))
def test_more_nodes_save_at_least_as_often(nodes: int) -> None:
    assert _interval(2 * nodes) <= _interval(nodes)


def test_the_interval_is_the_sizing_models() -> None:
    where = environment({(*POOL, "nodes"): 100})
    fabric = where.training[0]
    assert fabric.workload is not None
    found = job_on(fabric.workload, sizes.get("Standard_ND96isr_H100_v5"), 64)
    assert found.mtbf_s == mtbf_hours(64, float(found.failures_per_node_day.value)) * 3600
    job = render(where, request(nodes=64, resume=True))
    assert job.checkpointing is not None
    wanted = availability_optimal_seconds(job.checkpointing.write_seconds, found.mtbf_s)
    assert _interval(64) == math.floor(wanted)


def test_a_spot_node_saves_more_often_than_a_regular_one() -> None:
    changes: dict[tuple[str | int, ...], object] = {(*POOL, "sku"): "Standard_NC80adis_H100_v5"}
    regular = render(environment(changes), request(JobKind.JOB, resume=True)).checkpointing
    spot = render(
        environment({**changes, (*POOL, "priority"): "spot"}), request(JobKind.JOB, resume=True)
    ).checkpointing
    assert regular is not None
    assert spot is not None
    assert spot.interval_seconds < regular.interval_seconds
    assert spot.write_seconds == regular.write_seconds


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 79),
        ({("training", 0, "workload", "parametersB"): 100_000}, MOST_GRACE_SECONDS),
        ({(*POOL, "sku"): "Standard_NC80adis_H100_v5", (*POOL, "priority"): "spot"}, 25),
    ],
    ids=["time to write", "no longer than a drain waits", "less than the notice"],
)
def test_grace(changes: dict[tuple[str | int, ...], object], expected: int) -> None:
    job = render(environment(changes), request(JobKind.JOB, resume=True))
    assert job.manifests[-1]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == expected


def test_an_mpi_launcher_forwards_what_it_has() -> None:
    job = render(of_size("h100"), request(JobKind.MPI_JOB, resume=True))
    launcher = job.manifests[-1]["spec"]["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]["containers"][0]
    variables = {one["name"]: one["value"] for one in launcher["env"]}
    own = {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_mca_base_env_list"}
    assert variables["OMPI_MCA_mca_base_env_list"].split(";") == [name for name in variables if name not in own]
    assert launcher["resources"]["limits"] == {"cpu": LAUNCHER_CPUS, "memory": f"{LAUNCHER_MEMORY_GIB}Gi"}


@pytest.mark.parametrize("kind", JobKind)
def test_a_job_that_cannot_resume_is_not_started_again(kind: JobKind) -> None:
    text = render(of_size("h100"), request(kind)).as_yaml()
    assert "RESUME_FROM_CHECKPOINT" not in text
    assert ("maxRestarts: 0" in text) or ("backoffLimit: 0" in text)
    assert "RestartJobSetAndIgnoreMaxRestarts" not in text
    assert "OnFailure" not in text


def test_yaml_reads_back() -> None:
    command = ("sh", "-c", "echo 'a: b' && echo yes\necho no", "0123", "on")
    job = render(of_size("h100"), request(command=command))
    read = list(yaml.safe_load_all(job.as_yaml()))
    assert read == list(job.manifests)

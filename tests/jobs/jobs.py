"""Jobs of every kind on every size with InfiniBand, and on what else changes a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.jobs.render import RenderedJob, render
from gpufleet.jobs.request import JobKind, JobRequest
from gpufleet.spec import Environment
from tests.spec.environments import CLUSTER, GONE, POOL, changed

GOLDEN = Path(__file__).parent / "golden"
IMAGE = "ghcr.io/example/train@sha256:" + "0123456789abcdef" * 4
QUEUE = ("training", 0, "queue")
WORKLOAD = ("training", 0, "workload")
BLOBS = ("training", 0, "storage", "blob")
SIZES = {
    "h100": "Standard_ND96isr_H100_v5",
    "h200": "Standard_ND96isr_H200_v5",
    "a100": "Standard_ND96amsr_A100_v4",
    "a100-40gb": "Standard_ND96asr_v4",
    "mi300x": "Standard_ND96isr_MI300X_v5",
    "gb200": "Standard_ND128isr_NDR_GB200_v6",
    "gb300": "Standard_ND128isr_GB300_v6",
}
RACKS = ("gb200", "gb300")
_COMMANDS = {
    JobKind.TRAIN_JOB: ("torchrun", "train.py", "--config", "run.yaml"),
    JobKind.MPI_JOB: ("mpirun", "python", "train.py"),
    JobKind.JOB: ("python", "train.py"),
}


@cache
def of_size(name: str) -> Environment:
    """A fabric of eight nodes of a size."""
    stack = GpuStack.OPERATOR_DRA if name in RACKS else GpuStack.OPERATOR
    return environment({(*POOL, "sku"): SIZES[name], (*CLUSTER, "gpuStack"): stack.value})


def environment(changes: dict[tuple[str | int, ...], object]) -> Environment:
    """The tests' environment without inference, changed."""
    # As it would be with a price: jobs are rendered for sizes that no price list of any region has.
    return Environment.model_validate(changed({("inference",): GONE, **changes}))


def request(kind: JobKind = JobKind.TRAIN_JOB, **fields: Any) -> JobRequest:  # noqa: ANN401 whatever the request has
    """A job of four nodes, or of one."""
    nodes = 1 if kind is JobKind.JOB else 4
    return JobRequest(
        **{"name": "llm", "image": IMAGE, "command": _COMMANDS[kind], "nodes": nodes, "kind": kind, **fields}
    )


def documents() -> Iterator[tuple[str, str]]:
    """File name and content of each golden file."""
    for size in SIZES:
        for kind in JobKind:
            asked = request(kind, resume=True, checkpoint_directory="/lustre/runs/llm")
            yield f"{kind}-{size}.yaml", render(of_size(size), asked).as_yaml()
    for name, job in _others():
        yield f"{name}.yaml", job.as_yaml()


def _others() -> Iterator[tuple[str, RenderedJob]]:
    yield "trainjob-h100-once", render(of_size("h100"), request())
    yield "mpijob-h100-once", render(of_size("h100"), request(JobKind.MPI_JOB))
    shared = environment({(*CLUSTER, "rdmaDevices"): "shared"})
    yield "trainjob-h100-shared-rdma", render(shared, request())
    claimed = environment({(*CLUSTER, "gpuStack"): "operator-dra"})
    yield "trainjob-h100-dra", render(claimed, request())
    nvlink = environment({(*POOL, "sku"): "Standard_NC80adis_H100_v5"})
    yield "job-nc-h100", render(nvlink, request(JobKind.JOB, resume=True))
    spot = environment(
        {
            (*POOL, "sku"): "Standard_NC80adis_H100_v5",
            (*POOL, "priority"): "spot",
            (*POOL, "taints"): ["example.com/batch=yes:NoSchedule", "example.com/slow:NoSchedule"],
            (*WORKLOAD, "checkpoint"): {"maxLossPercent": 5, "resume": True},
        }
    )
    yield "job-nc-h100-spot", render(spot, request(JobKind.JOB, resume=True))
    teams = environment(
        {
            QUEUE: {
                "teams": [
                    {"name": "vision", "nominalNodes": {"h100": 5}, "priority": "high"},
                    {"name": "text", "nominalNodes": {"h100": 3}},
                ]
            },
            BLOBS: {
                "containers": [
                    {"name": "checkpoints", "mount": "blobfuse", "cache": "nvme"},
                    {"name": "shared", "mount": "nfs"},
                    "cold",
                ]
            },
        }
    )
    job = request(team="vision", resume=True, checkpoint_directory="/checkpoints/llm")
    yield "trainjob-h100-team-blobs", render(teams, job)

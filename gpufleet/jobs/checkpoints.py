"""How often a job should write a checkpoint, by the fabric's sizing for so many nodes."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.errors import ConfigurationError
from gpufleet.jobs.request import JobRequest, Target
from gpufleet.sizing.fabric import job_on
from gpufleet.sizing.spot import spot_work
from gpufleet.sizing.training_figures import checkpoint_times


@dataclass(frozen=True, kw_only=True)
class Checkpointing:
    """Times of a job's checkpoints."""

    interval_seconds: float
    """Computing between the end of one and the start of the next."""
    write_seconds: float


def checkpointing(target: Target, request: JobRequest) -> Checkpointing | None:
    """Checkpoint times of a job on the fabric's storage, with the failure rate of its own number of nodes.

    The model is the fabric's `workload`. Spot nodes are also evicted, each at the rate of the pool's declared band, or
    of the worst published one. None without a workload, which tells the size of a checkpoint.

    Raises:
        ConfigurationError: the job resumes and there is nothing to tell the interval from.
    """
    workload = target.fabric.workload
    if workload is None:
        if request.resume:
            raise ConfigurationError(
                f"--resume: fabric {target.fabric.name} declares no workload, so nothing tells how often to write a "
                "checkpoint",
                hint="Describe training[].workload: parametersB, tokensB, datasetTiB.",
            )
        return None
    found = job_on(workload, target.size, request.nodes)
    _, interval, write = checkpoint_times(target.fabric, found)
    if target.is_spot:
        usage = target.pool.usage
        interval = spot_work(target.fabric, found, usage.spot_eviction_band if usage else None).interval_s
    return Checkpointing(interval_seconds=interval, write_seconds=write)

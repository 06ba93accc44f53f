"""How often a job should write a checkpoint, by the fabric's sizing for so many nodes."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.catalog import eviction
from gpufleet.errors import ConfigurationError
from gpufleet.jobs.request import JobRequest, Target
from gpufleet.sizing import checkpoint
from gpufleet.sizing.fabric import job_on
from gpufleet.sizing.training_figures import checkpoint_times


@dataclass(frozen=True, kw_only=True)
class Checkpointing:
    """Times of a job's checkpoints."""

    interval_seconds: float
    """Computing between the end of one and the start of the next."""
    write_seconds: float


def checkpointing(target: Target, request: JobRequest) -> Checkpointing | None:
    """Checkpoint times of a job on the fabric's storage, with the failure rate of its own number of nodes.

    The model is the fabric's `workload`. Spot nodes are also evicted: their rate is that of the worst published band,
    for a size's own band is known to a subscription alone, and counts for each node. None without a workload, which
    tells the size of a checkpoint.

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
    stop, interval, write = checkpoint_times(target.fabric, found)
    if target.is_spot:
        hours = min(band.mean_hours_to_eviction for band in eviction.bands())
        mtbf = 1 / (1 / found.mtbf_s + request.nodes / (hours * 3600))
        interval = checkpoint.availability_optimal_seconds(stop, mtbf)
        interval = interval if workload.checkpoint.stall_seconds is None else max(interval, write)
    return Checkpointing(interval_seconds=interval, write_seconds=write)

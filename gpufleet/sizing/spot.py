"""What evictions take from a training job on spot nodes that resumes from its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.catalog import eviction
from gpufleet.sizing import checkpoint
from gpufleet.sizing.explanation import Input
from gpufleet.sizing.fabric import Job
from gpufleet.sizing.training_figures import checkpoint_times, useful_share
from gpufleet.spec.training import TrainingFabric
from gpufleet.spec.usage import SpotEvictionBand


@dataclass(frozen=True, kw_only=True)
class SpotWork:
    """A job on spot nodes beside the same on regular ones, each at its best interval between checkpoints.

    Attributes:
        useful: share of the paid time that computes, from 0 to 1, with failures and evictions.
        useful_on_regular: the same with failures alone.
        interval_s: seconds of computing between two checkpoints on spot nodes.
        hours_to_eviction: of one node, on average.
    """

    useful: float
    useful_on_regular: float
    interval_s: float
    hours_to_eviction: Input


def spot_work(fabric: TrainingFabric, job: Job, band: SpotEvictionBand | None) -> SpotWork:
    """What a job gets done on spot nodes.

    Failures of any of its N nodes (Mf = 24 / (N * r) hours apart) and evictions of one (Me = -1 / ln(1 - p) hours
    apart, p the chance within an hour at the band's worst edge) are independent Poisson processes, so their rates add
    up: M = 1 / (1 / Mf + N / Me). With C the time a checkpoint takes and R that of a restart the useful share is
    T / (M * e^(R/M) * (e^((T+C)/M) - 1)) at the interval T that makes it largest (Daly 2006, FGCS 22(3); see
    `checkpoint.availability`). The 30 seconds of notice count as nothing: they may not come (AKS node-auto-drain), and
    a checkpoint rarely fits into them. Nor does the wait for a new node count: it isn't paid.

    Args:
        fabric: whose storage the checkpoints go to.
        job: of so many nodes (`fabric.job_on`).
        band: how often Azure takes nodes; the worst band unless given.

    Raises:
        SizingError: a number out of range.
    """
    found = eviction.worst() if band is None else eviction.band(band.value)
    edge = "at most" if found.high_percent_per_hour is not None else "at least"
    percent = found.high_percent_per_hour or found.low_percent_per_hour
    stop, _, write = checkpoint_times(fabric, job)
    mtbf = 1 / (1 / job.mtbf_s + job.nodes / (found.mean_hours_to_eviction * 3600))
    best = checkpoint.availability_optimal_seconds(stop, mtbf)
    # A checkpoint that is still being written can't be followed by the next.
    interval = best if job.workload.checkpoint.stall_seconds is None else max(best, write)
    return SpotWork(
        useful=checkpoint.availability(interval, stop, mtbf, float(job.restart_s.value)),
        useful_on_regular=useful_share(fabric, job),
        interval_s=interval,
        hours_to_eviction=Input(
            name="Me",
            value=found.mean_hours_to_eviction,
            unit="h",
            source=f"evictions of {edge} {percent:g} % an hour"
            + (", the worst band, for none is declared" if band is None else ""),
            assumed=band is None,
        ),
    )

"""A training fabric: one cluster with its pools and storage in one region."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from gpufleet.spec.base import RegionName, ShortName, Spec
from gpufleet.spec.cluster import Cluster, Network
from gpufleet.spec.pool import Pool, of_cluster
from gpufleet.spec.queue import Queue
from gpufleet.spec.schedule import Schedule
from gpufleet.spec.storage import Storage


class Checkpoint(Spec):
    """How much work a failure may lose."""

    max_loss_percent: Annotated[float, Field(gt=0, lt=100)]
    """Share of compute time, in percent, that failures and checkpoints together may cost."""
    stall_seconds: Annotated[float | None, Field(gt=0, le=86_400)] = None
    """How long one checkpoint stops the job when it is written behind the computing (asynchronously); unless given, the
    job waits for the whole write."""
    restart_seconds: Annotated[float | None, Field(ge=0, le=86_400)] = None
    """From an interruption until the job computes again; a default stands in unless given."""
    resume: bool = False
    """Whether jobs start again from their last checkpoint by themselves: what spot GPU pools are for, and those alone
    may have such jobs."""
    bytes_per_parameter: Annotated[float, Field(gt=0, le=100)] = 14
    """Size of a checkpoint. Mixed-precision Adam has 14: 2 of weights, 4 of their fp32 copy, 4 + 4 of the two moments
    (ZeRO, arXiv 1910.02054)."""


class Workload(Spec):
    """What the fabric trains; storage and checkpoints are sized from it."""

    parameters_b: Annotated[float, Field(gt=0, le=1e6, alias="parametersB")]
    """Model parameters in billions."""
    tokens_b: Annotated[float, Field(gt=0, le=1e9, alias="tokensB")]
    """Training tokens in billions."""
    dataset_tib: Annotated[float, Field(gt=0, le=1e6, alias="datasetTiB")]
    """Dataset size in TiB."""
    epochs: Annotated[float, Field(gt=0, le=1000)] = 1
    """How often the run reads the dataset; `tokensB` counts them all."""
    read_mbytes_per_second_per_gpu: Annotated[float | None, Field(gt=0, le=10_000)] = None
    """What the loaders of one GPU read in MB/s, as measured; unless given, the dataset over the length of the run."""
    tflops_per_gpu: Annotated[float | None, Field(gt=0, le=10_000)] = None
    """Model TFLOP/s of one GPU in the running job, as measured; unless given, a published figure for the GPU."""
    failures_per_thousand_node_days: Annotated[float | None, Field(gt=0, le=1000)] = None
    """Interruptions of your own fleet; unless given, a published figure."""
    checkpoint: Checkpoint = Checkpoint(maxLossPercent=5)
    """How often to save: derived from the failure rate and the loss that is allowed."""


class TrainingFabric(Spec):
    """A GPU supercomputer for training: cluster, pools, storage in one region."""

    name: ShortName
    """Name of the fabric: part of many Azure names."""
    region: RegionName
    """Azure region by its programmatic name."""
    cluster: Cluster = Cluster()
    """Settings of the AKS cluster."""
    network: Network = Network()
    """The virtual network."""
    pools: Annotated[list[Pool], Field(min_length=1)]
    """Node pools; one at least has GPUs."""
    queue: Queue = Queue()
    """Teams and their share of the GPU pools."""
    workload: Workload | None = None
    """What it trains; storage and checkpoints are sized from it."""
    storage: Storage = Storage()
    """File system and blob storage."""
    schedules: list[Schedule] = []
    """Hours of the week in which it stands still; never in production."""

    @model_validator(mode="after")
    def _pools_know_their_cluster(self) -> Self:
        of_cluster(self.pools, self.cluster.gpu_stack)
        return self

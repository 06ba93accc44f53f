"""A training fabric: one cluster with its pools and storage in one region."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import RegionName, ShortName, Spec
from gpufleet.spec.cluster import Cluster, Network
from gpufleet.spec.pool import Pool
from gpufleet.spec.storage import Storage


class Checkpoint(Spec):
    """How much work a failure may lose."""

    max_loss_percent: Annotated[float, Field(gt=0, lt=100)]


class Workload(Spec):
    """What the fabric trains; storage and checkpoints are sized from it."""

    parameters_b: Annotated[float, Field(gt=0, le=1e6, alias="parametersB")]
    """Model parameters in billions."""
    tokens_b: Annotated[float, Field(gt=0, le=1e9, alias="tokensB")]
    """Training tokens in billions."""
    dataset_tib: Annotated[float, Field(gt=0, le=1e6, alias="datasetTiB")]
    """Dataset size in TiB."""
    checkpoint: Checkpoint = Checkpoint(maxLossPercent=5)


class TrainingFabric(Spec):
    """A GPU supercomputer for training: cluster, pools, storage in one region."""

    name: ShortName
    region: RegionName
    cluster: Cluster = Cluster()
    network: Network = Network()
    pools: Annotated[list[Pool], Field(min_length=1)]
    workload: Workload | None = None
    storage: Storage = Storage()

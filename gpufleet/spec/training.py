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
    """Share of compute time, in percent, that failures and checkpoints together may cost."""


class Workload(Spec):
    """What the fabric trains; storage and checkpoints are sized from it."""

    parameters_b: Annotated[float, Field(gt=0, le=1e6, alias="parametersB")]
    """Model parameters in billions."""
    tokens_b: Annotated[float, Field(gt=0, le=1e9, alias="tokensB")]
    """Training tokens in billions."""
    dataset_tib: Annotated[float, Field(gt=0, le=1e6, alias="datasetTiB")]
    """Dataset size in TiB."""
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
    workload: Workload | None = None
    """What it trains; storage and checkpoints are sized from it."""
    storage: Storage = Storage()
    """File system and blob storage."""

"""What no resource's properties tell and its bill depends on: how much of a pool is used, and what flows and is kept.

Declared by people, used for prices alone: nothing of it changes what is made.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Spec

HOURS_PER_WEEK = 168

_Volume = Annotated[float | None, Field(ge=0, le=1e12)]


class SpotEvictionBand(StrEnum):
    """Bands in which Azure publishes how often spot nodes of a size are evicted: percent within an hour."""

    UP_TO_5 = "0-5"
    UP_TO_10 = "5-10"
    UP_TO_15 = "10-15"
    UP_TO_20 = "15-20"
    ABOVE_20 = "20+"


class PoolUsage(Spec):
    """How much of a pool is used on average: the expected cost follows from it."""

    utilization_percent: Annotated[float, Field(ge=0, le=100)]
    """Share of the pool's largest size that has work, averaged over the hours of `hoursPerWeek`. An autoscaled pool
    runs that many nodes, at least its minimum; a fixed one runs all of them and leaves the rest idle."""
    hours_per_week: Annotated[float, Field(gt=0, le=HOURS_PER_WEEK)] = HOURS_PER_WEEK
    """Hours of the week in which there is work; an autoscaled pool stands at its minimum in the others."""
    spot_availability_percent: Annotated[float | None, Field(ge=0, le=100)] = None
    """Only on spot pools: share of the nodes with work that Azure has spot capacity for, 100 unless given. The others
    run on regular pools of the same size in the same place, as far as those go."""
    spot_eviction_band: Annotated[SpotEvictionBand | None, Field(strict=False)] = None
    """Only on spot pools: how often Azure takes nodes of the size in the region, as your subscription sees it (Azure
    Resource Graph, `SpotResources`, `evictionRate`); the worst band unless given."""


class Usage(Spec):
    """Volumes that are billed by the gigabyte or the request. One that is left out is reported as not priced."""

    logs_gb_per_day: _Volume = None
    """GB that each cluster sends to its Log Analytics workspace a day."""
    prometheus_samples_million_per_month: _Volume = None
    """Million samples that each cluster that serves models sends to its Azure Monitor workspace a month; a series that
    is scraped every 30 s is 0.09 of them."""
    nat_gb_per_month: _Volume = None
    """GB that go through each place's NAT gateway a month, both directions together."""
    private_endpoint_gb_per_month: _Volume = None
    """GB that go through each private endpoint a month, both directions together."""
    registry_gb: _Volume = None
    """GB of images in the registry; every replica holds them too."""
    blob_tib: Annotated[_Volume, Field(alias="blobTiB")] = None
    """TiB in each fabric's storage account; the dataset and two checkpoints of its workload unless given. Where Lustre
    has blob integration, the dataset is in that account instead."""
    hsm_tib: Annotated[_Volume, Field(alias="hsmTiB")] = None
    """TiB in each account of Lustre's blob integration; the dataset of the fabric's workload unless given."""
    nfs_tib: Annotated[_Volume, Field(alias="nfsTiB")] = None
    """TiB in each account that is mounted by NFS, where there is another for the other containers."""
    front_door_requests_per_month: _Volume = None
    """Requests that Front Door answers a month."""
    front_door_egress_gb_per_month: _Volume = None
    """GB from Front Door to clients a month."""
    front_door_origin_gb_per_month: _Volume = None
    """GB from Front Door to the regions a month."""
    traffic_manager_queries_per_month: _Volume = None
    """DNS queries that Traffic Manager answers a month."""

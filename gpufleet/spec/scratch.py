"""Which pools have scratch on local NVMe, how much of it a node has, and what is kept there."""

from __future__ import annotations

from collections.abc import Iterable

from gpufleet.catalog import sizes
from gpufleet.spec.model import WeightCache, Weights
from gpufleet.spec.pool import Pool, Scratch


def scratch_gb(pool: Pool) -> float:
    """GB (10^9 bytes) of scratch on each node: all of its local NVMe; 0 where it has none or is told to have none."""
    size = sizes.find(pool.sku)
    return 0.0 if pool.scratch is Scratch.NONE or size is None else size.local_nvme_gb or 0.0


def weight_cache(weights: Weights, pools: Iterable[Pool]) -> WeightCache:
    """Where servers on these pools have their weights: as stated, else on NVMe where all of the nodes have it."""
    return weights.cache or (WeightCache.NVME if all(scratch_gb(pool) for pool in pools) else WeightCache.BLOB)

"""Which pools of a training fabric have scratch on local NVMe, and how much of it a node has."""

from __future__ import annotations

from gpufleet.catalog import sizes
from gpufleet.spec.pool import Pool, Scratch


def scratch_gb(pool: Pool) -> float:
    """GB (10^9 bytes) of scratch on each node: all of its local NVMe; 0 where it has none or is told to have none."""
    size = sizes.find(pool.sku)
    return 0.0 if pool.scratch is Scratch.NONE or size is None else size.local_nvme_gb or 0.0

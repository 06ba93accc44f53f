"""Weights: a cache that the nodes have."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.inference import Inference
from gpufleet.spec.model import Model, WeightCache, Weights
from gpufleet.spec.pool import Pool
from gpufleet.spec.problem import ITEMS, Problem
from gpufleet.spec.scratch import scratch_gb

_POOLS = ("inference", "regions", ITEMS, "pools", ITEMS)


def check_weights(environment: Environment) -> Iterator[Problem]:
    """NVMe as the cache of a model that may run on nodes without local disks."""
    inference = environment.inference
    if inference is None:
        return
    for index, model in enumerate(inference.models):
        path: Path = ("inference", "models", index)
        stated: list[tuple[Path, Weights | None]] = [((*path, "weights"), model.weights)]
        stated += [
            ((*path, "variants", number, "weights"), variant.weights) for number, variant in enumerate(model.variants)
        ]
        for place, weights in stated:
            if weights is not None and weights.cache is WeightCache.NVME:
                yield from _without_disks(inference, model, (*place, "cache"))


def _without_disks(inference: Inference, model: Model, path: Path) -> Iterator[Problem]:
    bare = {
        f"{region.name}/{pool.name} ({pool.sku})": pool
        for region in inference.regions
        for pool in region.pools_of(model.name)
        if _has_gpus(pool) and not scratch_gb(pool)
    }
    if bare:
        yield Problem(
            path=path,
            message=f"nvme needs local disks, and the nodes of {', '.join(bare)} offer none",
            fix="Use blob, leave `cache` out to have each size's best, or keep the model off the pool by `serves`",
            source="AKS documentation, best-practices-storage-nvme",
            reads=((*path,), (*_POOLS, "sku"), (*_POOLS, "scratch"), (*_POOLS, "serves")),
        )


def _has_gpus(pool: Pool) -> bool:
    size = sizes.find(pool.sku)
    return size is not None and size.is_gpu

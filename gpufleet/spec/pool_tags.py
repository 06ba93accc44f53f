"""Azure tags that say whose the nodes of an inference pool are: budgets and cost analysis filter by them.

AKS hands an agent pool's tags on to its scale set and nodes, whose cost then carries them (AKS use-tags).
"""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.model import Model
from gpufleet.spec.pool import Pool

MODEL = "model"
TEAM = "team"


def pool_models(inference: Inference, region: InferenceRegion, pool: Pool) -> tuple[Model, ...]:
    """Models whose servers may run on a pool: those it names, else those that no pool of the region names."""
    size = sizes.find(pool.sku)
    if size is None or not size.is_gpu:
        return ()
    named = {name for one in region.pools for name in one.serves}
    return tuple(
        model for model in inference.models if (model.name in pool.serves if pool.serves else model.name not in named)
    )


def pool_tags(inference: Inference, region: InferenceRegion, pool: Pool) -> dict[str, str]:
    """The model that has the pool for itself, and the team that does; nothing of what is shared."""
    models = pool_models(inference, region, pool)
    teams = {model.team for model in models}
    tags = {MODEL: models[0].name} if len(models) == 1 else {}
    if len(teams) == 1 and (team := next(iter(teams))) is not None:
        tags[TEAM] = team
    return tags


def tagged(inference: Inference) -> Iterator[tuple[str, str]]:
    """Every tag and value that some pool carries."""
    for region in inference.regions:
        for pool in region.pools:
            yield from pool_tags(inference, region, pool).items()

"""Whether the weights that a node's servers load at once have room on its local disks."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.sizing.advice import Objection
from gpufleet.sizing.serving import memory_needs
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.model import WeightCache
from gpufleet.spec.pool import Pool
from gpufleet.spec.scratch import scratch_gb, weight_cache


def overfull_disks(inference: Inference) -> Iterator[Objection]:
    """Pools whose nodes can get servers with more weights than their NVMe holds.

    The worst node: of the forms that may run there the largest first, as long as GPUs are left for a replica of each.
    """
    plans = serving_plan(inference)
    for number, region in enumerate(inference.regions):
        for index, pool in enumerate(region.pools):
            mine = [plan for plan in plans if plan.region == region.name and _on_nvme(plan, pool, region)]
            held = _worst(mine)
            total = sum(gb for _, gb in held)
            room = scratch_gb(pool)
            if total > room:
                parts = " + ".join(f"{plan.name} {gb:,.0f} GB" for plan, gb in held)
                yield Objection(
                    rule="model-fit",
                    path=("inference", "regions", number, "pools", index, "sku"),
                    message=f"a node of {pool.name} can get weights of {total:,.0f} GB ({parts}), and its local disks "
                    f"have {room:,.0f} GB",
                    fix="Choose a size with more NVMe, part the models by `serves`, or say `weights.cache: blob`",
                    amount=total - room,
                )


def _on_nvme(plan: ServerPlan, pool: Pool, region: InferenceRegion) -> bool:
    weights = plan.form.model.weights
    if weights is None or pool.name not in plan.pools:
        return False
    pools = [one for one in region.pools if one.name in plan.pools]
    return bool(scratch_gb(pool)) and weight_cache(weights, pools) is WeightCache.NVME


def _worst(plans: list[ServerPlan]) -> list[tuple[ServerPlan, float]]:
    """Plans that one node may hold at once, with the GB (10^9 bytes) of their weights."""
    found: list[tuple[ServerPlan, float]] = []
    sized = sorted(((plan, memory_needs(plan.form.model)[0] / 1e9) for plan in plans), key=lambda one: -one[1])
    free = plans[0].serving.size.gpus if plans else 0
    for plan, gb in sized:
        taken = min(plan.serving.fit.tensor_parallel, plan.serving.size.gpus)
        if taken <= free:
            found.append((plan, gb))
            free -= taken
    return found

"""From a placement to changes of the stack file's inference regions."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.sizing.advice import Change
from gpufleet.sizing.demand import Placed, Plan
from gpufleet.spec.base import Priority
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.pool import NodeRange, Pool

_PATH = ("inference", "regions")


def changes(inference: Inference, plan: Plan) -> Iterator[Change]:
    """What to set so that the pools can grow to the placement.

    A pool that is there gets its maximum, when the model may run on it; a missing one is added to its region, a missing
    region to the platform. A pool that is added names its model (`serves`) where the model has pools of its own: it
    would not run on it otherwise. What the placement doesn't use stays: taking it away is a decision about what runs
    there.
    """
    wanted: dict[str, list[Placed]] = defaultdict(list)
    for one in plan.placed:
        wanted[one.offer.region].append(one)
    known = {region.name: index for index, region in enumerate(inference.regions)}
    added = 0
    for name, placed in wanted.items():
        if name in known:
            yield from _region(inference, inference.regions[known[name]], (*_PATH, known[name]), placed)
            continue
        pools = [pool for pool, _ in _new_pools(inference, None, placed)]
        entry = {"name": name, "pools": pools}
        yield Change(path=(*_PATH, len(inference.regions) + added), value=entry, why=f"serves {_models(placed)}")
        added += 1


def gpu_pools(region: InferenceRegion, model: str) -> list[Pool]:
    """The pools with GPUs that a model's servers may run on."""
    return [pool for pool in region.pools_of(model) if (size := sizes.find(pool.sku)) is not None and size.is_gpu]


def grown(inference: Inference, region: InferenceRegion, placed: Placed) -> list[Pool]:
    """The declared pools of a region that can take part of a placement; none when it is of another region."""
    offer = placed.offer
    if offer.region != region.name:
        return []
    priority = Priority.SPOT if offer.spot else Priority.REGULAR
    pools = gpu_pools(region, _model_of(inference, offer.model))
    return [pool for pool in pools if (pool.sku, pool.priority) == (offer.size, priority)]


def _region(
    inference: Inference, region: InferenceRegion, path: tuple[str | int, ...], placed: list[Placed]
) -> Iterator[Change]:
    groups: dict[tuple[int, ...], list[Placed]] = defaultdict(list)
    for one in placed:
        names = {pool.name for pool in grown(inference, region, one)}
        groups[tuple(index for index, pool in enumerate(region.pools) if pool.name in names)].append(one)
    missing = groups.pop((), [])
    # What has least choice first. Of several pools the first grows, the others keep what they have.
    room = {index: _most(region, index) for index in range(len(region.pools))}
    nodes: dict[int, int] = defaultdict(int)
    why: dict[int, list[Placed]] = defaultdict(list)
    for indices, ones in sorted(groups.items(), key=lambda group: len(group[0])):
        left = sum(one.nodes for one in ones)
        for index in indices[1:]:
            taken = min(left, max(0, room[index]))
            room[index] -= taken
            nodes[index] += taken
            left -= taken
        room[indices[0]] -= left
        nodes[indices[0]] += left
        why[indices[0]] += ones
    for index, ones in sorted(why.items()):
        yield from _resized(
            region, (*path, "pools", index, "nodes"), index, max(1, nodes[index]), f"serves {_models(ones)}"
        )
    for number, (pool, ones) in enumerate(_new_pools(inference, region, missing)):
        yield Change(path=(*path, "pools", len(region.pools) + number), value=pool, why=f"serves {_models(ones)}")


def _new_pools(
    inference: Inference, region: InferenceRegion | None, placed: list[Placed]
) -> Iterator[tuple[dict[str, object], list[Placed]]]:
    """Pools to add to a region, or to a new one, and what is placed on each."""
    groups: dict[tuple[str, bool, str], list[Placed]] = defaultdict(list)
    for one in placed:
        model = _model_of(inference, one.offer.model)
        serves = model if _needs_own(inference, region, model) else ""
        groups[one.offer.size, one.offer.spot, serves].append(one)
    taken = {pool.name for pool in region.pools} if region else set[str]()
    names = (name for number in itertools.count() if (name := f"p{number}") not in taken)
    for (size, spot, serves), ones in groups.items():
        yield _pool(next(names), size, sum(one.nodes for one in ones), spot=spot, serves=serves), ones


def _needs_own(inference: Inference, region: InferenceRegion | None, model: str) -> bool:
    """Whether a new pool must name the model: it has such pools there, or elsewhere and none at all there."""
    there = gpu_pools(region, model) if region else []
    if there:
        return any(pool.serves for pool in there)
    return any(model in pool.serves for one in inference.regions for pool in one.pools)


def _model_of(inference: Inference, form: str) -> str:
    return next(model.name for model in inference.models for one in model.forms if one.name == form)


def _resized(
    region: InferenceRegion, path: tuple[str | int, ...], index: int, nodes: int, why: str
) -> Iterator[Change]:
    declared = region.pools[index].nodes
    if isinstance(declared, NodeRange):
        if declared.max != nodes:
            yield Change(path=(*path, "max"), value=nodes, why=why)
        if declared.min > nodes:
            yield Change(path=(*path, "min"), value=nodes, why="no more than the most")
    elif declared != nodes:
        yield Change(path=path, value=nodes, why=why)


def _pool(name: str, size: str, nodes: int, *, spot: bool, serves: str) -> dict[str, object]:
    # A floor of one regular node answers at once; spot may go away anyway.
    least = 0 if spot else 1
    priority = {"priority": "spot"} if spot else {}
    pinned = {"serves": [serves]} if serves else {}
    return {"name": name, "sku": size, **pinned, **priority, "nodes": {"min": min(least, nodes), "max": nodes}}


def _most(region: InferenceRegion, index: int) -> int:
    nodes = region.pools[index].nodes
    return nodes.max if isinstance(nodes, NodeRange) else nodes


def _models(placed: list[Placed]) -> str:
    tokens: dict[str, float] = defaultdict(float)
    for one in placed:
        tokens[one.offer.model] += one.units * one.offer.tokens_per_second
    return ", ".join(f"{model} at {rate:,.0f} tokens/s" for model, rate in tokens.items())

"""From a placement to changes of the stack file's inference regions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gpufleet.sizing.advice import Change
from gpufleet.sizing.demand import Placed, Plan
from gpufleet.spec.base import Priority
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.pool import NodeRange

_PATH = ("inference", "regions")


def changes(inference: Inference, plan: Plan) -> Iterator[Change]:
    """What to set so that the pools can grow to the placement.

    A pool that is there gets its maximum; a missing one is added to its region, a missing region to the platform. What
    the placement doesn't use stays: taking it away is a decision about what runs there.
    """
    wanted: dict[str, dict[tuple[str, bool], list[Placed]]] = defaultdict(lambda: defaultdict(list))
    for one in plan.placed:
        wanted[one.offer.region][one.offer.size, one.offer.spot].append(one)
    known = {region.name: index for index, region in enumerate(inference.regions)}
    added = 0
    for name, pools in wanted.items():
        if name in known:
            yield from _region(inference.regions[known[name]], (*_PATH, known[name]), pools)
            continue
        entry = {
            "name": name,
            "pools": [
                _pool(f"p{number}", size, sum(one.nodes for one in placed), spot=spot)
                for number, ((size, spot), placed) in enumerate(pools.items())
            ],
        }
        why = f"serves {_models(list(_all(pools)))}"
        yield Change(path=(*_PATH, len(inference.regions) + added), value=entry, why=why)
        added += 1


def _region(
    region: InferenceRegion, path: tuple[str | int, ...], pools: dict[tuple[str, bool], list[Placed]]
) -> Iterator[Change]:
    new = len(region.pools)
    for (size, spot), placed in pools.items():
        nodes = sum(one.nodes for one in placed)
        why = f"serves {_models(placed)}"
        priority = Priority.SPOT if spot else Priority.REGULAR
        mine = [index for index, pool in enumerate(region.pools) if (pool.sku, pool.priority) == (size, priority)]
        if not mine:
            names = {pool.name for pool in region.pools}
            name = next(name for number in range(1000) if (name := f"p{number}") not in names)
            yield Change(path=(*path, "pools", new), value=_pool(name, size, nodes, spot=spot), why=why)
            new += 1
            continue
        # Other pools of the same size and priority keep what they have.
        others = sum(_most(region, index) for index in mine[1:])
        yield from _resized(region, (*path, "pools", mine[0], "nodes"), mine[0], max(1, nodes - others), why)


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


def _pool(name: str, size: str, nodes: int, *, spot: bool) -> dict[str, object]:
    # A floor of one regular node answers at once; spot may go away anyway.
    least = 0 if spot else 1
    priority = {"priority": "spot"} if spot else {}
    return {"name": name, "sku": size, **priority, "nodes": {"min": min(least, nodes), "max": nodes}}


def _most(region: InferenceRegion, index: int) -> int:
    nodes = region.pools[index].nodes
    return nodes.max if isinstance(nodes, NodeRange) else nodes


def _all(pools: dict[tuple[str, bool], list[Placed]]) -> Iterator[Placed]:
    for placed in pools.values():
        yield from placed


def _models(placed: list[Placed]) -> str:
    tokens: dict[str, float] = defaultdict(float)
    for one in placed:
        tokens[one.offer.model] += one.units * one.offer.tokens_per_second
    return ", ".join(f"{model} at {rate:,.0f} tokens/s" for model, rate in tokens.items())

"""What the declared inference pools give beside the demand: as a whole, and with the worst region lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gpufleet.catalog import sizes
from gpufleet.sizing.busy_hours import busiest
from gpufleet.sizing.explanation import Figure, Input
from gpufleet.sizing.replicas import replicas, replicas_per_region
from gpufleet.sizing.serving import Serving, Unfit, serve
from gpufleet.spec.base import Priority
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.model import Form, Model
from gpufleet.spec.pool_names import agent_pools


def capacity(region: InferenceRegion, model: Model) -> tuple[float, float, list[Unfit]]:
    """Tokens a second that a region's pools give one form of a model at their most, alone on them.

    Returns:
        From regular nodes, from spot nodes, and why pools don't count.
    """
    regular = spot = 0.0
    unfit = []
    for pool in region.pools_of(model.name):
        size = sizes.find(pool.sku)
        if size is None or not size.is_gpu:
            continue
        found = serve(model, size)
        if isinstance(found, Unfit):
            unfit.append(found)
            continue
        # A replica over several nodes is of one agent pool, for that is one InfiniBand domain.
        units = sum(plan.max_nodes // found.unit_nodes for plan in agent_pools(pool))
        tokens = units * found.tokens_per_s_per_unit
        if pool.priority is Priority.SPOT:
            spot += tokens
        else:
            regular += tokens
    return regular, spot, unfit


def load(inference: Inference, *, spot: bool, without: str = "") -> float:
    """The demand relative to what the pools give at their most: more than 1 is too little capacity.

    Forms of models share the nodes of the pools that they have in common, so each takes the part of them that its
    demand needs: at the hour of the day at which the demand of all origins together is highest. Models whose pools
    are others (`pools[].serves`) don't take from each other.

    Args:
        inference: the platform.
        spot: count spot nodes too.
        without: a region that is lost. One that drains gives nothing either.

    Returns:
        The largest sum of parts among models that share pools; infinite when nothing serves a model.
    """
    regions = [region for region in inference.regions if region.name != without and not region.drain]
    return max(
        (
            sum(_part(regions, form, spot=spot) for model in models for form in model.forms if form.share > 0)
            for models in _sharing(regions, inference.models)
        ),
        default=0.0,
    ) * busiest(inference)


def _part(regions: Sequence[InferenceRegion], form: Form, *, spot: bool) -> float:
    """The part of the regions' nodes that the demand of a form needs."""
    given = [capacity(region, form.model) for region in regions]
    tokens = sum(regular + (more if spot else 0.0) for regular, more, _ in given)
    return form.model.demand_tokens_per_second * form.share / tokens if tokens > 0 else math.inf


def _sharing(regions: Sequence[InferenceRegion], models: Sequence[Model]) -> list[list[Model]]:
    """Models in groups: two that have a pool in common, or share with a third one, are in one."""
    groups: list[tuple[set[tuple[str, str]], list[Model]]] = []
    for model in models:
        pools = {(region.name, pool.name) for region in regions for pool in region.pools_of(model.name)}
        mine = [group for group in groups if group[0] & pools]
        groups = [group for group in groups if group not in mine]
        groups.append((pools.union(*(one for one, _ in mine)), [*(one for _, ones in mine for one in ones), model]))
    return [found for _, found in groups]


def worst_loss(inference: Inference, *, spot: bool) -> tuple[str, float] | None:
    """The region whose loss hurts most, and the `load` of the others then; None with a single region."""
    if len(inference.regions) < 2:
        return None
    found = [(region.name, load(inference, spot=spot, without=region.name)) for region in inference.regions]
    return max(found, key=lambda one: one[1])


def replica_figures(form: Form, found: Serving, regions: int) -> Iterator[Figure]:
    """Replicas that the whole demand of a form takes on one size, and in each region so that one may be lost."""
    demand, rate = found.model.demand_tokens_per_second * form.share, found.tokens_per_s_per_replica
    name = f"{form.name} on {found.size.name}: replicas at demand"
    inputs = (
        Input(name="demand", value=demand, unit="tokens/s", source="demandTokensPerSecond"),
        Input(name="output", value=rate, unit="tokens/s", source="above"),
    )
    yield Figure(
        name=name,
        value=replicas(demand, rate),
        unit="replicas",
        formula="⌈demand / output of a replica⌉",
        source="arithmetic",
        inputs=inputs,
        note="as if this size alone served the model",
    )
    if regions > 1:
        yield Figure(
            name=f"{name}, in each region with one to lose",
            value=replicas_per_region(demand, rate, regions),
            unit="replicas",
            formula="⌈replicas / (regions − 1)⌉",
            source="arithmetic",
            inputs=(*inputs, Input(name="regions", value=regions, source="inference.regions")),
            note="evenly; a placement may be cheaper",
        )


def headroom_figures(inference: Inference) -> Iterator[Figure]:
    """How much more than the demand the pools give; below 0 what is missing."""
    any_spot = any(pool.priority is Priority.SPOT for region in inference.regions for pool in region.pools)
    for spot in (False, True) if any_spot else (False,):
        nodes = "with spot nodes" if spot else "regular nodes alone"
        yield _headroom(f"headroom, {nodes}", load(inference, spot=spot))
        lost = worst_loss(inference, spot=spot)
        if lost is not None:
            given = Input(name="lost", value=lost[0], source="the region whose loss hurts most")
            yield _headroom(f"headroom with a region lost, {nodes}", lost[1], given)


def _headroom(name: str, demand: float, *inputs: Input) -> Figure:
    return Figure(
        name=name,
        value=100 * (1 / demand - 1),
        unit="% of the demand",
        formula="1 / Σ (demand / declared capacity) − 1, over models that share pools",
        source="arithmetic",
        inputs=inputs,
        note="pools at their most; below 0 is what is missing",
    )

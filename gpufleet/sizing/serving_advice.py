"""Advice about the inference platform: does what is declared meet the demand, and where to serve at least cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gpufleet.catalog import latency, prices, regions, sizes
from gpufleet.sizing import serving_objections, weight_disks
from gpufleet.sizing.advice import Advice, Objection
from gpufleet.sizing.busy_hours import busy_hours
from gpufleet.sizing.demand import Demand, Offer, Pin, Plan, Problem
from gpufleet.sizing.explanation import Figure, Input, shown_share
from gpufleet.sizing.headroom import capacity, headroom_figures, load, replica_figures, worst_loss
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.placement import InfeasibleError, place
from gpufleet.sizing.serving import Serving, Unfit, serve, serving_figures
from gpufleet.sizing.serving_changes import changes, gpu_pools, grown
from gpufleet.spec.environment import Environment, EnvironmentClass
from gpufleet.spec.inference import Inference
from gpufleet.spec.model import Form

_PATH = ("inference",)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What limits a placement beside the stack file."""

    quotas: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """As in `demand.Problem.quotas`."""
    spot_share: float = 0.0
    any_size: bool = False
    """Every GPU size with a price, not only those that the stack file uses."""
    max_regions: int | None = None
    survive_loss: bool | None = None
    """Unless said: yes, where several regions serve."""
    seconds: float = 20.0


def advise(environment: Environment, limits: Limits | None = None) -> Advice:
    """Judge the declared pools; with `limits` also place the demand anew and propose changes.

    Raises:
        InfeasibleError: nothing meets the demand within the limits.
        SizingError: numbers out of range.
    """
    inference = environment.inference
    if inference is None:
        raise SizingError("the environment has no inference platform")
    objections = tuple(_objections(environment, inference))
    figures = list(_declared_figures(inference))
    if limits is None:
        return Advice(title="inference", figures=tuple(figures), objections=objections)
    servings = _servings(inference, limits)
    problem = _problem(environment, inference, limits, servings)
    plan = place(problem, seconds=limits.seconds)
    figures += _plan_figures(plan, problem)
    figures += _left(inference, plan)
    return Advice(
        title="inference",
        figures=tuple(figures),
        objections=objections,
        changes=tuple(changes(inference, plan)),
    )


def _objections(environment: Environment, inference: Inference) -> Iterator[Objection]:
    """Is each model served, near enough and from a floor; are the pools as large as the demand, with a region lost?"""
    if not inference.models:
        return
    unserved = list(serving_objections.unserved(inference))
    yield from unserved
    yield from serving_objections.out_of_reach(inference)
    if environment.environment_class is EnvironmentClass.PRODUCTION:
        yield from serving_objections.without_floor(inference)
    yield from weight_disks.overfull_disks(inference)
    if unserved:
        return
    path = (*_PATH, "regions")
    whole, lost = load(inference, spot=True), worst_loss(inference, spot=True)
    if whole > 1 + 1e-9:
        yield Objection(
            rule="demand",
            path=path,
            message=f"all pools at their most, spot included, give {shown_share(1 / whole)} of the declared demand",
            fix="Raise nodes.max; `gpufleet size` proposes by how much",
            amount=100 * (1 - 1 / whole),
        )
    elif lost is not None and lost[1] > 1 + 1e-9:
        yield Objection(
            rule="region-loss",
            path=path,
            message=f"with {lost[0]} lost the other regions, all pools at their most and spot included, give "
            f"{shown_share(1 / lost[1])} of the declared demand",
            fix="Raise nodes.max of the others; `gpufleet size` proposes by how much",
            amount=100 * (1 - 1 / lost[1]),
        )


def _forms(inference: Inference) -> Iterator[Form]:
    """The forms of all models that take part of the demand."""
    return (form for model in inference.models for form in model.forms if form.share > 0)


def _declared_figures(inference: Inference) -> Iterator[Figure]:
    for form in _forms(inference):
        used = dict.fromkeys(pool.sku for region in inference.regions for pool in region.pools_of(form.model.name))
        for size in filter(None, map(sizes.find, used)):
            found = serve(form.model, size, predict=True) if size.is_gpu else None
            if isinstance(found, Serving):
                yield from serving_figures(found, form.name)
                yield from replica_figures(form, found, len(inference.regions))
        for region in inference.regions:
            regular, spot, _ = capacity(region, form.model)
            yield Figure(
                name=f"{form.name} in {region.name}: declared capacity",
                value=regular + spot,
                unit="tokens/s",
                formula="nodes at their most · output of a node, alone on it",
                source="above",
                inputs=(
                    Input(name="regular", value=regular, unit="tokens/s", source="pools of regular priority"),
                    Input(name="spot", value=spot, unit="tokens/s", source="pools of spot priority"),
                ),
            )
    if inference.models:
        yield from headroom_figures(inference)


def _servings(inference: Inference, limits: Limits) -> list[tuple[Form, Serving]]:
    used = {pool.sku for region in inference.regions for pool in region.pools}
    names = sizes.names() if limits.any_size else tuple(used)
    candidates = [size for name in names if (size := sizes.find(name)) is not None and size.gpu_vendor == "NVIDIA"]
    servings: list[tuple[Form, Serving]] = []
    for form in _forms(inference):
        found = [serve(form.model, size) for size in candidates]
        mine = [(form, one) for one in found if isinstance(one, Serving)]
        if not mine:
            reasons = dict.fromkeys(one.reason for one in found if isinstance(one, Unfit))
            raise InfeasibleError(
                f"no size serves {form.name}: {'; '.join(reasons) or 'there are no GPU sizes'}",
                hint="State tokensPerSecondPerGpu for a size that holds it, or try --any-size.",
            )
        servings += mine
    return servings


def _problem(
    environment: Environment, inference: Inference, limits: Limits, servings: Sequence[tuple[Form, Serving]]
) -> Problem:
    places = [name for name in environment.allowed_regions if regions.find(name) is not None]
    origins = {one.region: one for one in inference.demand}
    demand = [
        Demand(
            origin=origin,
            model=form.name,
            tokens_per_second=form.model.demand_tokens_per_second * form.share * part,
            hour=hour,
        )
        for form in _forms(inference)
        for hour, parts in enumerate(busy_hours(inference))
        for origin, part in parts.items()
    ]
    return Problem(
        demand=demand,
        offers=list(_offers(inference, places, servings, limits)),
        rtt_ms={
            (origin, place_): found.rtt_ms
            for origin in origins
            for place_ in places
            if (found := latency.between(origin, place_)) is not None
        },
        max_rtt_ms={name: one.max_rtt_ms for name, one in origins.items() if one.max_rtt_ms is not None},
        quotas=limits.quotas,
        spot_share=limits.spot_share,
        survive_loss=len(inference.regions) > 1 if limits.survive_loss is None else limits.survive_loss,
        pins={
            (form.name, region.name): Pin(least=pin.min or 0, most=pin.max)
            for form in _forms(inference)
            for region in inference.regions
            if (pin := region.replicas.get(form.model.name)) is not None
        },
        max_regions=limits.max_regions,
    )


def _offers(
    inference: Inference, places: Sequence[str], servings: Sequence[tuple[Form, Serving]], limits: Limits
) -> Iterator[Offer]:
    declared = {region.name: region for region in inference.regions}
    for place_ in places:
        for form, found in servings:
            # Pools that name a model (`serves`) say where it runs in their region: on sizes of theirs.
            pools = gpu_pools(declared[place_], form.model.name) if place_ in declared else []
            own = {pool.sku for pool in pools if pool.serves}
            if own and not limits.any_size and found.size.name not in own:
                continue
            for spot in (False, True) if limits.spot_share > 0 else (False,):
                price = prices.price(found.size.name, place_, spot=spot)
                if isinstance(price, prices.Unpriced):
                    continue
                yield Offer(
                    region=place_,
                    size=found.size.name,
                    model=form.name,
                    spot=spot,
                    nodes=found.unit_nodes,
                    usd_per_hour=float(price.usd_per_hour) * found.unit_nodes,
                    tokens_per_second=found.tokens_per_s_per_unit,
                    family=found.size.quota_family,
                    vcpus=found.size.vcpus * found.unit_nodes,
                    replicas=found.fit.replicas_per_node or 1,
                )


def _left(inference: Inference, plan: Plan) -> Iterator[Figure]:
    left = [
        f"{pool.name} in {region.name}"
        for region in inference.regions
        for pool in region.pools
        if (size := sizes.find(pool.sku)) is not None and size.is_gpu
        if not any(pool in grown(inference, region, one) for one in plan.placed)
    ]
    if left:
        yield Figure(
            name="placement: pools it doesn't need",
            value=", ".join(left),
            unit="",
            formula="declared GPU pools without a part in the placement",
            source="the placement",
            note="left as they are: what runs there is for people to decide",
        )


def _plan_figures(plan: Plan, problem: Problem) -> Iterator[Figure]:
    yield Figure(
        name="placement: price of the nodes",
        value=plan.usd_per_hour,
        unit="USD/h",
        formula="Σ units · price, least of all plans that keep the limits",
        source="HiGHS, by scipy.optimize.milp",
        inputs=(
            Input(name="offers", value=len(problem.offers), source="sizes and allowed regions with a known price"),
            Input(name="gap", value=100 * plan.gap, unit="%", source="distance from the proven lower bound"),
        ),
        note="nodes alone: no storage, traffic or control planes",
    )
    for one in plan.placed:
        yield Figure(
            name=f"placement: {one.offer.model} in {one.offer.region}",
            value=one.nodes,
            unit=f"nodes of {one.offer.size}" + (", spot" if one.offer.spot else ""),
            formula="units · nodes of a unit",
            source="the placement",
            inputs=(
                Input(name="units", value=one.units, source="the placement"),
                Input(name="output", value=one.units * one.offer.tokens_per_second, unit="tokens/s", source="units"),
                Input(name="price", value=one.units * one.offer.usd_per_hour, unit="USD/h", source="price list"),
            ),
        )

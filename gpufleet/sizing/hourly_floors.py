"""Demand of each region by hour of the day, and how many servers it takes: the floors that the autoscaler is given."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

from gpufleet.catalog import latency
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.inference import Inference, InferenceRegion

HOURS = 24
_ALWAYS = (1.0,) * HOURS


def regional_shares(inference: Inference) -> Mapping[str, tuple[float, ...]]:
    """The part of every model's demand that each region gets, by hour of the day in UTC; all regions are in it.

    As Front Door routes with every region up: the least `priority`, of those the nearest and what is hardly slower, by
    `weight`. Regions of a larger priority number are standby and get nothing, nor do those that drain. A pair of
    regions without a known round trip counts as farther than every other.
    """
    given = {region.name: [0.0] * HOURS for region in inference.regions}
    total = sum(one.share for one in inference.demand)
    if not inference.demand:
        for name, part in _by_weight(_first(inference)).items():
            given[name] = [part] * HOURS
    for one in inference.demand:
        curve = [percent / 100 for percent in one.hourly_percent] if one.hourly_percent else _ALWAYS
        for name, part in _by_weight(_nearest(one.region, inference)).items():
            for hour in range(HOURS):
                given[name][hour] += one.share / total * part * curve[hour]
    return {name: tuple(hours) for name, hours in given.items()}


def hourly_floors(inference: Inference) -> Mapping[tuple[str, str], tuple[int, ...]]:
    """Replicas that are up whatever the load, by region and `ServerPlan.name`, for each hour of the day in UTC.

    Replicas for the hour's demand, and within what regular nodes hold: never below the warm floor, never above the
    regular nodes' most, for a floor on spot nodes is none. Where no origin that a region serves has a curve there is no
    schedule: the warm floor, all day.
    """
    shares = regional_shares(inference)
    curved = _curved(inference)
    floors: dict[tuple[str, str], tuple[int, ...]] = {}
    for (region, _, _), plans in _alike(inference).items():
        capacity = sum(_tokens(plan) for plan in plans)
        for plan in plans:
            if region not in curved or not capacity:
                floors[region, plan.name] = (plan.min_replicas,) * HOURS
                continue
            demand = plan.model.demand_tokens_per_second * plan.form.share * _tokens(plan) / capacity
            floors[region, plan.name] = tuple(_floor(plan, demand * share) for share in shares[region])
    return floors


def _first(inference: Inference) -> list[InferenceRegion]:
    open_ = [region for region in inference.regions if not region.drain] or inference.regions
    best = min(region.priority for region in open_)
    return [region for region in open_ if region.priority == best]


def _nearest(origin: str, inference: Inference) -> list[InferenceRegion]:
    """Where requests of a place go.

    Front Door shares them by weight among the origins that are at most `additionalLatencyMilliseconds` slower than the
    fastest (Front Door docs: routing-methods); Traffic Manager takes the fastest (Traffic Manager docs:
    traffic-manager-routing-methods).
    """
    farther = 0 if inference.traffic_manager else inference.front_door.additional_latency_milliseconds
    regions = _first(inference)
    found = [(latency.between(origin, region.name), region) for region in regions]
    known = [(one.rtt_ms, region) for one, region in found if one is not None]
    if not known:
        return regions
    least = min(rtt for rtt, _ in known)
    return [region for rtt, region in known if rtt <= least + farther]


def _by_weight(regions: list[InferenceRegion]) -> dict[str, float]:
    total = sum(region.weight for region in regions)
    return {region.name: region.weight / total for region in regions}


def _curved(inference: Inference) -> set[str]:
    """Regions that serve an origin whose demand follows the clock."""
    return {
        region.name
        for one in inference.demand
        if one.hourly_percent is not None
        for region in _nearest(one.region, inference)
    }


def _alike(inference: Inference) -> Mapping[tuple[str, str, str], list[ServerPlan]]:
    """Plans by region, model and form: several where a region has several sizes."""
    found: dict[tuple[str, str, str], list[ServerPlan]] = defaultdict(list)
    for plan in serving_plan(inference):
        found[plan.region, plan.model.name, plan.form.label].append(plan)
    return found


def _regular(plan: ServerPlan) -> int:
    return plan.max_replicas - plan.spot_replicas


def _tokens(plan: ServerPlan) -> float:
    """What its regular nodes give at their most."""
    return _regular(plan) * plan.serving.tokens_per_s_per_replica


def _floor(plan: ServerPlan, demand: float) -> int:
    # Sums of floats: a demand of exactly two replicas must not take three by its last digit.
    wanted = math.ceil(demand / plan.serving.tokens_per_s_per_replica - 1e-9)
    return max(plan.min_replicas, min(wanted, _regular(plan)))


def windows(floors: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """First hour, hour of the end and floor of each stretch of the day with one floor; none when all are alike.

    A stretch that passes midnight ends before it begins.
    """
    starts = [hour for hour in range(HOURS) if floors[hour] != floors[hour - 1]]
    for index, start in enumerate(starts):
        yield start, starts[(index + 1) % len(starts)], floors[start]

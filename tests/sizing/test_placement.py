from __future__ import annotations

import dataclasses
import itertools
import math
import random

import pytest

from gpufleet.sizing.demand import SPOT, TOTAL, Demand, Offer, Plan, Problem
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.placement import InfeasibleError, place

_MOST_UNITS = 4


def _offer(
    region: str, size: str = "a", model: str = "m", *, price: float = 1, tokens: float = 10, spot: bool = False
) -> Offer:
    return Offer(
        region=region,
        size=size,
        model=model,
        spot=spot,
        nodes=1,
        usd_per_hour=price,
        tokens_per_second=tokens,
        family=f"Family-{size}",
        vcpus=8,
    )


def _demand(tokens: float, origin: str = "home", model: str = "m") -> Demand:
    return Demand(origin=origin, model=model, tokens_per_second=tokens)


def _serves(problem: Problem, units: tuple[int, ...]) -> bool:
    """Whether capacity can be handed out to demand: for each model a transport problem, by Hall's condition."""
    for model in {one.model for one in problem.demand}:
        origins = [one for one in problem.demand if one.model == model]
        for count in range(1, len(origins) + 1):
            for subset in itertools.combinations(origins, count):
                room = 0.0
                for offer, number in zip(problem.offers, units, strict=True):
                    near = any(
                        problem.max_rtt_ms.get(one.origin) is None
                        or problem.rtt_ms.get((one.origin, offer.region), math.inf) <= problem.max_rtt_ms[one.origin]
                        for one in subset
                    )
                    if offer.model == model and near:
                        room += number * offer.tokens_per_second
                if room < sum(one.tokens_per_second for one in subset) - 1e-9:
                    return False
    return True


def _keeps_limits(problem: Problem, units: tuple[int, ...]) -> bool:
    used = [(offer, number) for offer, number in zip(problem.offers, units, strict=True) if number]
    if not _keeps_quotas(problem, used):
        return False
    if problem.max_regions is not None and len({offer.region for offer, _ in used}) > problem.max_regions:
        return False
    for model in {one.model for one in problem.demand}:
        mine = [(offer, number * offer.tokens_per_second) for offer, number in used if offer.model == model]
        total_tokens = sum(tokens for _, tokens in mine)
        if sum(tokens for offer, tokens in mine if offer.spot) > problem.spot_share * total_tokens + 1e-9:
            return False
        floors = {offer.region for offer, _ in mine if not offer.spot}
        if problem.spot_share < 1 and not {offer.region for offer, _ in mine if offer.spot} <= floors:
            return False
        if problem.survive_loss:
            wanted = sum(one.tokens_per_second for one in problem.demand if one.model == model)
            for region in {offer.region for offer in problem.offers}:
                if sum(tokens for offer, tokens in mine if offer.region != region) < wanted - 1e-9:
                    return False
    return True


def _keeps_quotas(problem: Problem, used: list[tuple[Offer, int]]) -> bool:
    for (region, family), vcpus in problem.quotas.items():
        total = 0
        for offer, number in used:
            counts = offer.spot if family == SPOT else not offer.spot and family in {TOTAL, offer.family}
            total += number * offer.vcpus * (counts and offer.region == region)
        if total > vcpus:
            return False
    return True


def _cost(problem: Problem, units: tuple[int, ...]) -> float:
    regions = {offer.region for offer, number in zip(problem.offers, units, strict=True) if number}
    nodes = sum(offer.usd_per_hour * number for offer, number in zip(problem.offers, units, strict=True))
    return nodes + len(regions) * problem.usd_per_region_hour


def _brute_force(problem: Problem) -> float | None:
    best: float | None = None
    for units in itertools.product(range(_MOST_UNITS + 1), repeat=len(problem.offers)):
        cost = _cost(problem, units)
        if (best is None or cost < best) and _keeps_limits(problem, units) and _serves(problem, units):
            best = cost
    return best


def _random_problem(seed: int) -> Problem:
    chance = random.Random(seed)
    regions = [f"r{number}" for number in range(chance.choice((2, 3)))]
    origins = [f"o{number}" for number in range(chance.choice((1, 2)))]
    models = ["m"] if chance.random() < 0.7 else ["m", "n"]
    every = [
        _offer(
            region,
            size,
            model,
            price=chance.randint(10, 60) / 4,
            tokens=chance.choice((10, 15, 25, 40)),
            spot=chance.random() < 0.25,
        )
        for region in regions
        for size in ("a", "b")
        for model in models
    ]
    offers = chance.sample(every, min(chance.choice((4, 4, 5)), len(every)))
    for model in models:
        if not any(offer.model == model for offer in offers):
            offers[0] = dataclasses.replace(offers[0], model=model)
    offered = {offer.model for offer in offers}
    demand = [
        _demand(chance.choice((5, 12, 20, 33)), origin, model)
        for origin in origins
        for model in models
        if model in offered
    ]
    return Problem(
        demand=demand,
        offers=offers,
        rtt_ms={(origin, region): chance.choice((10, 50, 90)) for origin in origins for region in regions},
        max_rtt_ms={origin: 60 for origin in origins if chance.random() < 0.6},
        quotas={
            (chance.choice(regions), chance.choice(("Family-a", TOTAL, SPOT))): chance.choice((8, 16, 32))
            for _ in range(chance.choice((0, 1, 2)))
        },
        spot_share=chance.choice((0.0, 0.3, 1.0)),
        survive_loss=chance.random() < 0.4,
        max_regions=chance.choice((None, None, 1, 2)),
        usd_per_region_hour=chance.choice((0.0, 2.5)),
    )


def _most(problem: Problem) -> float:
    """Units that any one offer could need: brute force looks no further."""
    return max(
        sum(one.tokens_per_second for one in problem.demand if one.model == offer.model) / offer.tokens_per_second
        for offer in problem.offers
    )


def test_the_same_optimum_as_brute_force() -> None:
    solved = infeasible = 0
    seed = 0
    while solved + infeasible < 200:
        seed += 1
        problem = _random_problem(seed)
        if _most(problem) > _MOST_UNITS:
            continue
        expected = _brute_force(problem)
        try:
            plan = place(problem, gap=0.0)
        except InfeasibleError:
            assert expected is None, seed
            infeasible += 1
            continue
        assert expected is not None, seed
        assert plan.usd_per_hour == pytest.approx(expected, abs=1e-6), seed
        units = {id(one.offer): one.units for one in plan.placed}
        found = tuple(units.get(id(offer), 0) for offer in problem.offers)
        assert _keeps_limits(problem, found), seed
        assert _serves(problem, found), seed
        solved += 1
    assert solved > 80
    assert infeasible > 30


def _large(seed: int) -> Problem:
    chance = random.Random(seed)
    return Problem(
        demand=[_demand(chance.uniform(1e3, 2e4), f"o{o}", f"m{m}") for o in range(4) for m in range(4)],
        offers=[
            _offer(
                f"r{r}",
                f"s{s}",
                f"m{m}",
                price=(s + 1) * chance.uniform(3, 5),
                tokens=(s + 1) * chance.uniform(90, 110),
            )
            for r in range(12)
            for s in range(8)
            for m in range(4)
        ],
        rtt_ms={(f"o{o}", f"r{r}"): chance.uniform(1, 200) for o in range(4) for r in range(12)},
        max_rtt_ms={f"o{o}": 120 for o in range(4)},
        quotas={(f"r{r}", f"Family-s{s}"): 800 for r in range(12) for s in range(8)},
    )


def test_a_large_problem_is_within_the_gap_and_keeps_every_limit() -> None:
    problem = _large(1)
    plan = place(problem, gap=0.05, seconds=60)
    assert plan.gap <= 0.05
    units = {id(one.offer): one.units for one in plan.placed}
    assert _keeps_limits(problem, tuple(units.get(id(offer), 0) for offer in problem.offers))
    assert plan.usd_per_hour == pytest.approx(sum(one.units * one.offer.usd_per_hour for one in plan.placed))
    for (origin, _, region), tokens in plan.served.items():
        assert tokens > 0
        assert problem.rtt_ms[origin, region] <= 120
    for one in problem.demand:
        given = sum(t for (origin, model, _), t in plan.served.items() if (origin, model) == (one.origin, one.model))
        assert given == pytest.approx(one.tokens_per_second)


def test_demands_of_different_hours_share_the_nodes() -> None:
    offers = [_offer("r1", tokens=10, price=1)]
    hours = [dataclasses.replace(_demand(40, origin=f"o{hour}"), hour=hour) for hour in (0, 1)]
    together = place(
        Problem(demand=[dataclasses.replace(one, hour=0) for one in hours], offers=offers, survive_loss=False)
    )
    apart = place(Problem(demand=hours, offers=offers, survive_loss=False))
    assert (together.usd_per_hour, apart.usd_per_hour) == (8, 4)
    assert apart.served == {("o0", "m", "r1"): 40, ("o1", "m", "r1"): 40}


def test_spot_stands_beside_a_regular_node() -> None:
    offers = [
        _offer("r1", price=5),
        _offer("r2", price=5),
        _offer("r1", price=1, spot=True),
        _offer("r2", price=1, spot=True),
    ]
    plan = place(Problem(demand=[_demand(40)], offers=offers, spot_share=0.7, survive_loss=False))
    regular = {one.offer.region for one in plan.placed if not one.offer.spot}
    assert {one.offer.region for one in plan.placed if one.offer.spot} <= regular


def test_a_ceiling_that_binds_at_several_hours_is_named_once() -> None:
    demand = [dataclasses.replace(_demand(10), hour=hour) for hour in (0, 1)]
    problem = Problem(
        demand=demand,
        offers=[_offer("r1")],
        rtt_ms={(demand[0].origin, "r1"): 80},
        max_rtt_ms={demand[0].origin: 50},
        survive_loss=False,
    )
    assert _refused(problem).count("a latency ceiling of 80 ms") == 1


def test_more_demand_never_costs_less() -> None:
    def cost(tokens: float) -> float:
        offers = [_offer("r1", price=3), _offer("r1", "b", price=7, tokens=25), _offer("r2", price=4)]
        return place(Problem(demand=[_demand(tokens)], offers=offers)).usd_per_hour

    costs = [cost(tokens) for tokens in range(1, 100, 7)]
    assert costs == sorted(costs)


def _refused(problem: Problem) -> str:
    with pytest.raises(InfeasibleError) as caught:
        place(problem)
    return caught.value.message


_TWO = [_offer("r1"), _offer("r2")]


def test_a_quota_that_binds_is_named_with_the_amount() -> None:
    text = _refused(Problem(demand=[_demand(95)], offers=_TWO, quotas={("r1", "family-A"): 16}, survive_loss=True))
    assert text.splitlines() == [
        "nothing meets the demand within the limits. Any one of these changes would make it possible:",
        "  - 64 vCPUs more quota of family-A in r1 (now 16)",
        "  - 75 tokens/s of m given up when r2 is lost",
    ]


def test_a_latency_ceiling_that_binds_is_named_with_what_it_would_take() -> None:
    problem = Problem(
        demand=[_demand(5)],
        offers=_TWO,
        rtt_ms={("home", "r1"): 80, ("home", "r2"): 130},
        max_rtt_ms={"home": 50},
    )
    assert _refused(problem).splitlines()[1:] in (
        ["  - a latency ceiling of 80 ms for home (now 50 ms), to reach r1"],
        ["  - a latency ceiling of 130 ms for home (now 50 ms), to reach r2"],
    )


def test_an_unmeasured_latency_does_not_pass_a_ceiling() -> None:
    text = _refused(Problem(demand=[_demand(5)], offers=_TWO, max_rtt_ms={"home": 50}))
    assert "a latency from home that nobody has measured" in text


def test_one_region_can_not_survive_its_loss() -> None:
    text = _refused(Problem(demand=[_demand(5)], offers=[_offer("r1")]))
    assert text.splitlines()[1:] == ["  - 5 tokens/s of m given up when r1 is lost"]
    problem = Problem(demand=[_demand(5)], offers=_TWO, max_regions=1)
    assert "1 more than the 1 regions allowed" in _refused(problem)


def test_two_limits_that_must_both_give_way() -> None:
    problem = Problem(
        demand=[_demand(25)],
        offers=[_offer("r1")],
        rtt_ms={("home", "r1"): 80},
        max_rtt_ms={"home": 50},
        quotas={("r1", TOTAL): 8},
        survive_loss=False,
    )
    text = _refused(problem)
    assert "It takes all of these changes" in text
    assert "16 vCPUs more quota of total in r1 (now 8)" in text
    assert "a latency ceiling of 80 ms for home" in text


def test_a_model_that_nothing_serves() -> None:
    assert _refused(Problem(demand=[_demand(5, model="big")], offers=_TWO)).startswith(
        "no size in any of the regions serves big"
    )


def test_spot_fills_no_more_than_its_share() -> None:
    offers = [_offer("r1", price=10), _offer("r1", price=1, spot=True)]

    def nodes(share: float) -> dict[bool, int]:
        plan: Plan = place(Problem(demand=[_demand(100)], offers=offers, spot_share=share, survive_loss=False))
        return {one.offer.spot: one.nodes for one in plan.placed}

    assert nodes(0.0) == {False: 10}
    assert nodes(0.3) == {False: 7, True: 3}
    assert nodes(1.0) == {True: 10}


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_offers_without_a_real_price_or_rate_are_refused(bad: float) -> None:
    with pytest.raises(SizingError, match="price of a in r1"):
        place(Problem(demand=[_demand(5)], offers=[_offer("r1", price=bad)]))
    with pytest.raises(SizingError, match="tokens/s of a in r1"):
        place(Problem(demand=[_demand(5)], offers=[_offer("r1", tokens=bad)]))
    if bad != 0:
        with pytest.raises(SizingError, match="demand of m from home"):
            place(Problem(demand=[_demand(bad)], offers=_TWO))


def test_no_demand_costs_nothing() -> None:
    assert place(Problem(demand=[], offers=_TWO)).usd_per_hour == 0
    assert place(Problem(demand=[_demand(0)], offers=_TWO)).placed == ()

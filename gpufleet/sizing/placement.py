"""Where to serve: regions, sizes and node counts at least cost, as a mixed-integer linear program."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gpufleet.sizing.demand import Plan, Problem
from gpufleet.sizing.linear import Outcome, Relaxation, Solution, broken
from gpufleet.sizing.numbers import SizingError, not_negative, positive
from gpufleet.sizing.placement_program import LATENCY, LOSS, PIN, QUOTA, REGIONS, SPOT_SHARE, PlacementProgram

_SMALL = 300
"""Offers up to which the whole program is solved at once: tens of milliseconds."""
_ROUND_SECONDS = 1.0
"""For the first part; each further one gets twice as long."""
_LONGEST = 60.0
_RELAXABLE = (QUOTA, LATENCY, SPOT_SHARE, REGIONS, LOSS, PIN)


class InfeasibleError(SizingError):
    """Nothing meets the demand; the text names the constraints that bind and by how much."""


def place(problem: Problem, *, gap: float = 0.02, seconds: float = 20.0) -> Plan:
    """Choose regions, sizes and counts at least cost.

    A small problem is solved to a proven optimum. A large one is first solved with fractions allowed, which bounds the
    cost from below; then in whole numbers near this solution, and ever further from it until the plan is within `gap`
    of the bound.

    Args:
        problem: demand, offers and limits.
        gap: relative distance from the bound that is good enough for a large problem.
        seconds: time after which the best plan so far is taken; the search for a first one may take longer.

    Returns:
        The plan; its `gap` says how far from the optimum it is at the most.

    Raises:
        InfeasibleError: no plan keeps the limits; the text says which of them bind.
        SizingError: a number out of range, or no plan within the time.
    """
    _check(problem)
    built = PlacementProgram(problem)
    if len(problem.offers) <= _SMALL:
        solution = built.program.solve(gap=0.0, seconds=seconds)
    else:
        solution = _solve_large(built, gap, seconds)
    if solution.outcome is Outcome.INFEASIBLE:
        raise InfeasibleError(_reason(built, seconds), hint="Change what is named, or lower the demand.")
    if solution.outcome is Outcome.UNKNOWN:
        raise SizingError(
            f"no placement was found within {seconds:g} s", hint="Allow more time, or give fewer regions or sizes."
        )
    return built.plan(solution)


def _solve_large(built: PlacementProgram, gap: float, seconds: float) -> Solution:
    relaxed = built.program.relaxation()
    if relaxed is None:
        return Solution(outcome=Outcome.INFEASIBLE)
    end = time.monotonic() + seconds
    best = Solution(outcome=Outcome.UNKNOWN)
    for number, (part, last) in enumerate(_parts(built.units, relaxed)):
        # A plan far from the optimum beats none: without one the search goes on.
        left = max(0.0 if best.values else _LONGEST, end - time.monotonic())
        found = built.program.solve(
            gap=gap / 2, seconds=left if last else min(left, _ROUND_SECONDS * 2**number), within=part
        )
        if found.values and not (best.values and best.cost <= found.cost):
            distance = max(0.0, found.cost / relaxed.cost - 1) if relaxed.cost > 0 else 0.0
            best = dataclasses.replace(found, gap=min(distance, found.gap) if last else distance)
        if last and found.outcome is Outcome.INFEASIBLE and not best.values:
            return found
        if best.values and (best.gap <= gap or time.monotonic() >= end):
            break
    return best


def _parts(units: Sequence[int], relaxed: Relaxation) -> Iterator[tuple[dict[int, tuple[float, float]], bool]]:
    """Ever larger parts of the space, as bounds of the units, and whether it is the whole.

    First the whole numbers next to the fractions, shortly and then longer; then any number of the offers that raise the
    cost least.
    """
    near = {
        unit: (math.floor(value + 1e-9), math.ceil(value - 1e-9) + 1.0) if value > 1e-9 else (0.0, 0.0)
        for unit in units
        for value in (relaxed.values[unit],)
    }
    yield near, False
    yield near, False
    ranked = sorted(units, key=lambda unit: (relaxed.values[unit] <= 1e-9, relaxed.reduced_costs[unit]))
    count = 2 * sum(relaxed.values[unit] > 1e-9 for unit in units)
    while 0 < count < len(ranked):
        yield dict.fromkeys(ranked[count:], (0.0, 0.0)), False
        count *= 4
    yield {}, True


def _check(problem: Problem) -> None:
    for one in problem.demand:
        not_negative(f"demand of {one.model} from {one.origin}", one.tokens_per_second, at_most=1e12)
    for offer in problem.offers:
        name = f"{offer.size} in {offer.region}"
        positive(f"tokens/s of {name}", offer.tokens_per_second, at_most=1e12)
        # A price of 0 would be taken without end; a price that is unknown must not become an offer at all.
        positive(f"price of {name}", offer.usd_per_hour, at_most=1e9)
    if not 0 <= problem.spot_share <= 1:
        raise SizingError(f"the spot share is {problem.spot_share:g}: it must be from 0 to 1")
    offered = {offer.model for offer in problem.offers}
    places = {(offer.model, offer.region) for offer in problem.offers}
    for (model, region), pin in problem.pins.items():
        if pin.least and model in offered and (model, region) not in places:
            raise InfeasibleError(
                f"{pin.least:,} servers of {model} are pinned in {region}, and no size serves it there",
                hint="Lower replicas.min, or give the region a size that serves it and has a price there.",
            )
    for (region, family), vcpus in problem.quotas.items():
        not_negative(f"quota {family} in {region}", vcpus)
    if unserved := sorted({one.model for one in problem.demand if one.tokens_per_second > 0} - offered):
        raise InfeasibleError(
            f"no size in any of the regions serves {', '.join(unserved)}: none fits with a known price and throughput"
        )


def _reason(built: PlacementProgram, seconds: float) -> str:
    """Every kind of limit that alone would have to give way, and by how much; all of them when no single one does."""
    present = [group for group in _RELAXABLE if group in built.program.groups()]
    alone = [text for group in present if (text := _amounts(built, (group,), seconds))]
    if alone:
        head = "nothing meets the demand within the limits. "
        head += "It takes this change:" if len(alone) == 1 else "Any one of these changes would make it possible:"
        return "\n".join([head, *(f"  - {text}" for text in alone)])
    together = _amounts(built, present, seconds)
    if together:
        return f"nothing meets the demand within the limits. It takes all of these changes:\n  - {together}"
    return "nothing meets the demand, whatever limit is lifted: the offers don't serve every model"


def _amounts(built: PlacementProgram, groups: Sequence[str], seconds: float) -> str:
    elastic, slacks = built.program.relaxed(groups)
    solution = elastic.solve(gap=1e-3, seconds=seconds)
    if not solution.values:
        return ""
    return "; ".join(dict.fromkeys(_told(built, solution, broken(slacks, solution))))


def _told(built: PlacementProgram, solution: Solution, amounts: Mapping[str, float]) -> Iterable[str]:
    problem = built.problem
    for label, amount in amounts.items():
        first, second, hour = f"{label}||".split("|")[:3]
        if label == "regions":
            yield f"{math.ceil(amount - 1e-6)} more than the {problem.max_regions} regions allowed"
        elif (first, second) in problem.quotas and second:
            yield (
                f"{math.ceil(amount - 1e-6):,} vCPUs more quota of {second} in {first} "
                f"(now {problem.quotas[first, second]:,.0f})"
            )
        elif hour in {"least", "most"}:
            pin, number = problem.pins[first, second], math.ceil(amount - 1e-6)
            yield (
                f"{number:,} servers of {first} fewer pinned in {second} (replicas.min is {pin.least:,})"
                if hour == "least"
                else f"{number:,} servers of {first} more allowed in {second} (replicas.max is {pin.most:,})"
            )
        elif hour:
            yield _late(built, solution, (first, second, int(hour)))
        elif second:
            yield f"{amount:,.0f} tokens/s of {first} given up when {second} is lost"
        else:
            yield f"a spot share of {first} above {problem.spot_share * 100:g} %"


def _late(built: PlacementProgram, solution: Solution, demand: tuple[str, str, int]) -> str:
    origin = demand[0]
    used = {
        region: rtt
        for (place, name, region, at), rtt in built.late.items()
        if (place, name, at) == demand and solution.values[built.flow[place, name, region, at]] > 1e-6
    }
    known = {region: rtt for region, rtt in used.items() if math.isfinite(rtt)}
    ceiling = built.problem.max_rtt_ms[origin]
    if not known:
        return f"a latency from {origin} that nobody has measured ({', '.join(sorted(used))}; ceiling {ceiling:g} ms)"
    region = max(known, key=lambda name: known[name])
    return f"a latency ceiling of {known[region]:g} ms for {origin} (now {ceiling:g} ms), to reach {region}"

"""A placement problem as a mixed-integer linear program."""

from __future__ import annotations

import math
from collections import defaultdict

from gpufleet.sizing.demand import SPOT, TOTAL, Offer, Pin, Placed, Plan, Problem
from gpufleet.sizing.linear import Program, Solution

LATENCY, QUOTA, LOSS, SPOT_SHARE, REGIONS = "latency", "quota", "loss of a region", "spot share", "number of regions"
PIN = "pinned servers"
"""Kinds of constraints that a person can change."""
STRUCTURE = "structure"
"""What no decision changes: demand is served, from capacity that is there."""


class PlacementProgram:
    """The program of a problem, with the variables by what they mean."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.program = Program()
        self.demand: dict[tuple[str, str, int], float] = defaultdict(float)
        for one in problem.demand:
            self.demand[one.origin, one.model, one.hour] += one.tokens_per_second
        self.models = tuple(dict.fromkeys(model for _, model, _ in self.demand))
        self.hours = tuple(dict.fromkeys(hour for *_, hour in self.demand))
        self.regions = tuple(dict.fromkeys(offer.region for offer in problem.offers))
        self.by_place: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, offer in enumerate(problem.offers):
            self.by_place[offer.model, offer.region].append(index)
        self.total = {
            model: max(
                sum(tokens for (_, name, at), tokens in self.demand.items() if (name, at) == (model, hour))
                for hour in self.hours
            )
            for model in self.models
        }
        """By model, at the hour with most."""
        self.largest: dict[str, float] = defaultdict(float)
        for offer in problem.offers:
            self.largest[offer.model] = max(self.largest[offer.model], offer.tokens_per_second)
        self.has_spot = any(offer.spot for offer in problem.offers)
        self.units = [self._unit(offer) for offer in problem.offers]
        self.flow: dict[tuple[str, str, str, int], int] = {}
        self.late: dict[tuple[str, str, str, int], float] = {}
        self._flows()
        self._capacity()
        self._open_regions()
        self._quotas()
        if problem.survive_loss:
            self._losses()
        self._spot()

    def _unit(self, offer: Offer) -> int:
        most = math.ceil(self._most(offer.model) / offer.tokens_per_second * (1 - 1e-12))
        if (pin := self.problem.pins.get((offer.model, offer.region))) is not None:
            most = max(most, math.ceil(pin.least / offer.replicas))
        usable = not offer.spot or self.problem.spot_share > 0
        return self.program.variable(cost=offer.usd_per_hour, high=most if usable else 0, integer=True)

    def _most(self, model: str) -> float:
        """Tokens a second beyond which more of a model in one region is never useful, one unit of rounding aside.

        That is the whole demand, unless regular nodes are there to let more spot nodes in: then as many as allow the
        whole demand on spot in every region.
        """
        total, share = self.total.get(model, 0.0), self.problem.spot_share
        if not total or not 0 < share < 1 or not self.has_spot:
            return total
        return max(total, (1 - share) / share * len(self.regions) * (total + self.largest[model]))

    def _flows(self) -> None:
        for (origin, model, hour), tokens in self.demand.items():
            ceiling = self.problem.max_rtt_ms.get(origin)
            late: list[tuple[int, float]] = []
            terms = []
            for region in self.regions:
                if not self.by_place.get((model, region)):
                    continue
                key = (origin, model, region, hour)
                self.flow[key] = self.program.variable(high=tokens)
                terms.append((self.flow[key], 1.0))
                rtt = self.problem.rtt_ms.get((origin, region), math.inf)
                if ceiling is not None and rtt > ceiling:
                    late.append((self.flow[key], 1.0))
                    self.late[key] = rtt
            self.program.row(terms, low=tokens, high=tokens, group=STRUCTURE, label=f"demand {origin} {model} {hour}")
            if late:
                self.program.row(late, high=0.0, group=LATENCY, label=f"{origin}|{model}|{hour}")

    def _capacity(self) -> None:
        self.capacity: dict[tuple[str, str], int] = {}
        for model in self.models:
            for region in self.regions:
                offers = self.by_place.get((model, region))
                if not offers:
                    continue
                room = self.capacity[model, region] = self.program.variable()
                terms = self._output(model, region, offers)
                label = f"capacity {model} {region}"
                self.program.row([(room, 1.0), *terms], low=0, high=0, group=STRUCTURE, label=label)
                for hour in self.hours:
                    flows = [
                        (self.flow[key], 1.0)
                        for origin, name, at in self.demand
                        if (name, at) == (model, hour) and (key := (origin, model, region, hour)) in self.flow
                    ]
                    label = f"flow {model} {region} {hour}"
                    self.program.row([(room, -1.0), *flows], high=0.0, group=STRUCTURE, label=label)

    def _output(self, model: str, region: str, offers: list[int]) -> list[tuple[int, float]]:
        """What the room of a model in a region is made of, less than nothing: units, or servers where they are pinned.

        A node may hold more servers than the region may have, so then they count and not the nodes.
        """
        pin = self.problem.pins.get((model, region))
        if pin is None:
            return [(self.units[index], -self.problem.offers[index].tokens_per_second) for index in offers]
        terms, regular = [], []
        for index in offers:
            offer = self.problem.offers[index]
            servers = self.program.variable(integer=True)
            held = [(servers, 1.0), (self.units[index], -float(offer.replicas))]
            self.program.row(held, high=0.0, group=STRUCTURE, label=f"servers {model} {region} {offer.size}")
            terms.append((servers, -offer.tokens_per_second / offer.replicas))
            if not offer.spot:
                regular.append((servers, 1.0))
        if pin.least:
            self.program.row(regular, low=pin.least, group=PIN, label=f"{model}|{region}|least")
        if pin.most is not None:
            every = [(variable, 1.0) for variable, _ in terms]
            self.program.row(every, high=pin.most, group=PIN, label=f"{model}|{region}|most")
        return terms

    def _open_regions(self) -> None:
        problem = self.problem
        if not problem.usd_per_region_hour and problem.max_regions is None:
            return
        opened = []
        for region in self.regions:
            is_open = self.program.variable(cost=problem.usd_per_region_hour, high=1, integer=True)
            opened.append((is_open, 1.0))
            for model in self.models:
                if (room := self.capacity.get((model, region))) is None:
                    continue
                pin = self.problem.pins.get((model, region), Pin())
                most = self._most(model) + self.largest[model] * (1 + pin.least)
                self.program.row(
                    [(room, 1.0), (is_open, -most)],
                    high=0.0,
                    group=STRUCTURE,
                    label=f"open {region} {model}",
                )
        if problem.max_regions is not None:
            self.program.row(opened, high=problem.max_regions, group=REGIONS, label="regions")

    def _quotas(self) -> None:
        for (region, family), vcpus in self.problem.quotas.items():
            terms = [
                (self.units[index], float(offer.vcpus))
                for index, offer in enumerate(self.problem.offers)
                if offer.region == region and counts(offer, family)
            ]
            if terms:
                self.program.row(terms, high=vcpus, group=QUOTA, label=f"{region}|{family}")

    def _losses(self) -> None:
        for model in self.models:
            rooms = {region: room for (name, region), room in self.capacity.items() if name == model}
            everywhere = self.program.variable()
            terms = [(room, -1.0) for room in rooms.values()]
            self.program.row([(everywhere, 1.0), *terms], low=0, high=0, group=STRUCTURE, label=f"total {model}")
            for region, room in rooms.items():
                self.program.row(
                    [(everywhere, 1.0), (room, -1.0)], low=self.total[model], group=LOSS, label=f"{model}|{region}"
                )

    def _spot(self) -> None:
        if not 0 < self.problem.spot_share < 1:
            return
        for model in self.models:
            terms = []
            for index, offer in enumerate(self.problem.offers):
                if offer.model == model:
                    weight = (1.0 if offer.spot else 0.0) - self.problem.spot_share
                    terms.append((self.units[index], weight * offer.tokens_per_second))
            self.program.row(terms, high=0.0, group=SPOT_SHARE, label=model)
            for region in self.regions:
                self._floor(model, region)

    def _floor(self, model: str, region: str) -> None:
        """Spot nodes only beside a regular one: Azure may take all of them at once, and for hours."""
        indices = self.by_place.get((model, region), [])
        spot = [index for index in indices if self.problem.offers[index].spot]
        if not spot:
            return
        most = sum(self._most(model) / self.problem.offers[index].tokens_per_second + 1 for index in spot)
        terms = [(self.units[index], 1.0 if index in spot else -most) for index in indices]
        self.program.row(terms, high=0.0, group=STRUCTURE, label=f"floor {model} {region}")

    def plan(self, solution: Solution) -> Plan:
        """The plan that a solution means."""
        placed = tuple(
            Placed(offer=offer, units=units)
            for offer, variable in zip(self.problem.offers, self.units, strict=True)
            if (units := round(solution.values[variable]))
        )
        served: dict[tuple[str, str, str], float] = {}
        for (*key, _), variable in self.flow.items():
            if (tokens := solution.values[variable]) > 1e-6:
                place = (key[0], key[1], key[2])
                served[place] = max(tokens, served.get(place, 0.0))
        return Plan(placed=placed, usd_per_hour=solution.cost, gap=solution.gap, served=served)


def counts(offer: Offer, family: str) -> bool:
    """Whether an offer's vCPUs count against a quota: spot has one of its own across families, regular two."""
    if offer.spot:
        return family == SPOT
    return family == TOTAL or (family != SPOT and offer.family.casefold() == family.casefold())

"""A day of demand through floors, maxima and spot: nodes that run, tokens served, dollars, by hour in UTC."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from gpufleet.cost.money import ZERO
from gpufleet.cost.rates import NoRate
from gpufleet.outlook.fleet import ALL_HOURS, Fleet, Nodes, Servers
from gpufleet.sizing.hourly_floors import regional_shares
from gpufleet.spec.base import Priority

_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Load:
    """One kind of servers in one hour.

    Attributes:
        demand: tokens a second that reach them, at most what they give at their most.
        served: of these, what they answer.
        regular: replicas on regular nodes.
        spot: replicas on spot nodes.
    """

    servers: Servers
    demand: float
    served: float
    regular: int
    spot: int


@dataclass(frozen=True, kw_only=True)
class Running:
    """Nodes of one size at one priority in a region that run in one hour; `nodes` is between its bounds."""

    of: Nodes
    nodes: int

    @property
    def usd(self) -> Decimal:
        """USD of the hour; nothing for nodes without a price, which `Day.unpriced` names."""
        return ZERO if isinstance(self.of.usd, NoRate) else self.of.usd * self.nodes


@dataclass(frozen=True, kw_only=True)
class Hour:
    """One hour of the day.

    Attributes:
        hour: from 0 to 23, in UTC.
        demand: tokens a second by region and model, what no server answers among them.
        unmet: of these, what nothing answers.
    """

    hour: int
    demand: Mapping[tuple[str, str], float]
    unmet: Mapping[tuple[str, str], float]
    loads: tuple[Load, ...]
    running: tuple[Running, ...]

    @property
    def served(self) -> float:
        """Tokens a second, all together."""
        return sum(load.served for load in self.loads)

    @property
    def usd(self) -> Decimal:
        """USD of the GPU nodes that run."""
        return sum((one.usd for one in self.running), ZERO)

    @property
    def gpus(self) -> Decimal:
        """GPUs that run, busy or not."""
        return sum((one.of.gpus * one.nodes for one in self.running), ZERO)

    def nodes(self, priority: Priority, region: str = "") -> int:
        """Nodes of a priority that run, in one region or in all."""
        return sum(one.nodes for one in self.running if one.of.priority is priority and region in {"", one.of.region})


@dataclass(frozen=True, kw_only=True)
class Day:
    """The 24 hours; figures are averages over an hour, as if the demand stood still in it."""

    hours: tuple[Hour, ...]

    @cached_property
    def usd(self) -> Decimal:
        """USD of the GPU nodes that have a price."""
        return sum((hour.usd for hour in self.hours), ZERO)

    @property
    def demand_tokens(self) -> float:
        """Tokens that are asked for."""
        return _SECONDS * sum(sum(hour.demand.values()) for hour in self.hours)

    @property
    def unmet_tokens(self) -> float:
        """Tokens that nothing answers."""
        return _SECONDS * sum(sum(hour.unmet.values()) for hour in self.hours)

    @cached_property
    def gpu_hours(self) -> Decimal:
        """Hours of GPUs that run, busy or not."""
        return sum((hour.gpus for hour in self.hours), ZERO)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Nodes that run and have no price, in words; what they cost is in no sum."""
        found = {
            f"{one.of.size} {one.of.priority.value} in {one.of.region}: {one.of.usd.reason}"
            for hour in self.hours
            for one in hour.running
            if one.nodes and isinstance(one.of.usd, NoRate)
        }
        return tuple(sorted(found))

    def node_hours(self, priority: Priority, region: str = "") -> int:
        """Node-hours of a priority."""
        return sum(hour.nodes(priority, region) for hour in self.hours)


def day(fleet: Fleet, *, lost: str = "", spot: bool = True) -> Day:
    """A day of the declared demand.

    Front Door routes it (`gpufleet.sizing.hourly_floors.regional_shares`); a region that is full hands nothing on, for
    Front Door knows of latency and health and not of load. In a region a form's servers share its demand by what their
    regular nodes give at their most, and what is beyond that by their spot nodes. Replicas for it run between the
    hour's floor and the most; those above the floor's nodes take spot nodes first, as the priority expander does, then
    regular ones.

    Args:
        fleet: the platform.
        lost: a region that is down; its users go where Front Door sends them then.
        spot: whether there are spot nodes at all.
    """
    inference = fleet.inference
    left = inference.model_copy(update={"regions": [one for one in inference.regions if one.name != lost]})
    shares = regional_shares(left)
    groups: dict[tuple[str, str, str], list[Servers]] = defaultdict(list)
    for one in fleet.servers:
        groups[one.region, one.model, one.form].append(one)
    nodes = [one for one in fleet.nodes if one.region != lost and (spot or one.priority is Priority.REGULAR)]
    return Day(hours=tuple(_hour(fleet, hour, shares, groups, nodes, spot=spot) for hour in ALL_HOURS))


def _hour(
    fleet: Fleet,
    hour: int,
    shares: Mapping[str, tuple[float, ...]],
    groups: Mapping[tuple[str, str, str], Sequence[Servers]],
    nodes: Iterable[Nodes],
    *,
    spot: bool,
) -> Hour:
    demand: dict[tuple[str, str], float] = {}
    unmet: dict[tuple[str, str], float] = {}
    loads: list[Load] = []
    for region, by_hour in shares.items():
        for model, peak in fleet.demand.items():
            wanted = demand[region, model] = peak * by_hour[hour]
            served = 0.0
            for (name, form), share in fleet.forms.items():
                if name == model:
                    found = _loads(groups.get((region, model, form), ()), wanted * share, hour, spot=spot)
                    served += sum(load.served for load in found)
                    loads += found
            # Sums of floats: what is met exactly must not be missed by the last digit.
            missing = wanted - served
            unmet[region, model] = missing if missing > 1e-9 * wanted else 0.0
    return Hour(hour=hour, demand=demand, unmet=unmet, loads=tuple(loads), running=tuple(_running(nodes, loads)))


def most_replicas(servers: Servers, *, spot: bool) -> int:
    """The most replicas of these servers."""
    return servers.regular_replicas + (servers.spot_replicas if spot else 0)


def _loads(group: Sequence[Servers], demand: float, hour: int, *, spot: bool) -> list[Load]:
    regular = [one.regular_replicas * one.tokens_per_s for one in group]
    extra = [one.spot_replicas * one.tokens_per_s if spot else 0.0 for one in group]
    found = []
    for one, base, more in zip(group, regular, extra, strict=True):
        most = most_replicas(one, spot=spot)
        mine = _part(min(demand, sum(regular)), base, sum(regular))
        mine += _part(min(max(0.0, demand - sum(regular)), sum(extra)), more, sum(extra))
        floor = one.floors[hour]
        # Sums of floats: a demand of exactly two replicas must not take three by its last digit.
        run = max(floor, min(most, math.ceil(mine / one.tokens_per_s - 1e-9)))
        wanted_on_spot = min(max(0, run - _room(one, floor)), one.spot_replicas if spot else 0)
        # A replica goes to a node with room for it before another node is added.
        on_spot = max(0, run - _room(one, run - wanted_on_spot))
        found.append(
            Load(
                servers=one,
                demand=mine,
                served=min(mine, run * one.tokens_per_s),
                regular=run - on_spot,
                spot=on_spot,
            )
        )
    return found


def _room(servers: Servers, replicas: int) -> int:
    """Replicas that the regular nodes under so many hold."""
    return min(-(-replicas // servers.per_unit) * servers.per_unit, servers.regular_replicas)


def _part(demand: float, capacity: float, of: float) -> float:
    return demand * capacity / of if of else 0.0


def _running(nodes: Iterable[Nodes], loads: Iterable[Load]) -> Iterable[Running]:
    wanted: dict[tuple[str, str, Priority], int] = defaultdict(int)
    for load in loads:
        servers = load.servers
        wanted[servers.region, servers.size, Priority.REGULAR] += servers.nodes(load.regular)
        wanted[servers.region, servers.size, Priority.SPOT] += servers.nodes(load.spot)
    for one in nodes:
        yield Running(of=one, nodes=min(max(wanted[one.region, one.size, one.priority], one.least), one.most))

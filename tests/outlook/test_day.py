"""A day: what is served is within what there is, and nothing is lost or made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.cost.rates import NoRate
from gpufleet.outlook import Day, Fleet, day, fleet
from gpufleet.outlook.day import Load, most_replicas
from gpufleet.outlook.fleet import Nodes, Servers
from gpufleet.spec.base import Priority
from tests.outlook.samples import ahead, environment

REGULAR, SPOT = Priority.REGULAR, Priority.SPOT


@cache
def _base() -> Fleet:
    spec = environment()
    assert spec.inference is not None
    return fleet(spec, spec.inference)


def _servers(region: str, model: str, *, regular: int, spot: int = 0, floor: int = 1, **changes: object) -> Servers:
    plain = Servers(
        region=region,
        model=model,
        form="fp8",
        name=f"{model}-fp8",
        size="Standard_NC80adis_H100_v5",
        tokens_per_s=1000.0,
        weights_gb=70.0,
        per_unit=1,
        unit_nodes=1,
        regular_replicas=regular,
        spot_replicas=spot,
        floors=(floor,) * 24,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _nodes(region: str, least: int, most: int, usd: str = "10", priority: Priority = REGULAR) -> Nodes:
    size = "Standard_NC80adis_H100_v5"
    return Nodes(region=region, size=size, priority=priority, least=least, most=most, gpus=Decimal(2), usd=Decimal(usd))


def _one(servers: Servers, *nodes: Nodes, demand: float, **changes: object) -> Fleet:
    """One region, one model, its demand around the clock."""
    inference = _base().inference
    alone = inference.model_copy(update={"regions": inference.regions[:1], "demand": []})
    plain = Fleet(
        inference=alone,
        demand={servers.model: demand},
        forms={(servers.model, "fp8"): 1.0},
        servers=(servers,),
        nodes=nodes,
        unplanned=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _load(found: Day) -> Load:
    (load,) = found.hours[0].loads
    return load


@pytest.mark.parametrize(
    ("demand", "regular", "spot", "served", "usd"),
    [
        # The floor of 2 stands whatever the load.
        (0.0, 2, 0, 0.0, 20),
        (1999.0, 2, 0, 1999.0, 20),
        # Spot first, regular when spot is used up.
        (4000.0, 2, 2, 4000.0, 26),
        (5001.0, 3, 3, 5001.0, 39),
        (9000.0, 5, 3, 8000.0, 59),
    ],
)
def test_spot_comes_after_the_floor_and_before_more_regular_nodes(
    demand: float, regular: int, spot: int, served: float, usd: int
) -> None:
    servers = _servers("eastus", "chat", regular=5, spot=3, floor=2)
    found = day(_one(servers, _nodes("eastus", 2, 5), _nodes("eastus", 0, 3, "3", SPOT), demand=demand))
    load, hour = _load(found), found.hours[0]
    assert (load.regular, load.spot, load.served) == (regular, spot, served)
    assert (hour.nodes(REGULAR), hour.nodes(SPOT), hour.usd) == (regular, spot, Decimal(usd))
    assert found.unmet_tokens == pytest.approx((demand - served) * 86_400)
    assert found.gpu_hours == 2 * (regular + spot) * 24


def test_without_spot_regular_nodes_take_their_place() -> None:
    servers = _servers("eastus", "chat", regular=5, spot=3, floor=2)
    loads = _one(servers, _nodes("eastus", 2, 5), _nodes("eastus", 0, 3, "3", SPOT), demand=4000.0)
    assert (_load(day(loads, spot=False)).regular, day(loads, spot=False).node_hours(SPOT)) == (4, 0)


def test_replicas_share_a_node_and_a_replica_spans_nodes() -> None:
    halves = _servers("eastus", "chat", regular=8, spot=0, floor=1, per_unit=2)
    assert day(_one(halves, _nodes("eastus", 0, 4), demand=3000.0)).hours[0].nodes(REGULAR) == 2
    pairs = _servers("eastus", "chat", regular=4, spot=0, floor=1, unit_nodes=2)
    assert day(_one(pairs, _nodes("eastus", 0, 8), demand=3000.0)).hours[0].nodes(REGULAR) == 6


def test_a_node_without_a_price_is_named_and_never_free() -> None:
    gap = replace(_nodes("eastus", 2, 5), usd=NoRate("no source has one", ""))
    found = day(_one(_servers("eastus", "chat", regular=5), gap, demand=10.0))
    assert found.unpriced == ("Standard_NC80adis_H100_v5 regular in eastus: no source has one",)


def test_the_sun_moves_the_demand() -> None:
    found = ahead().day
    at = {hour.hour: hour.demand["japaneast", "chat"] for hour in found.hours}
    # Two of eleven users are near japaneast, at their peak from 02 to 04 UTC.
    assert at[3] == pytest.approx(22_000 * 2 / 11)
    assert at[15] < at[3] / 5


def test_a_lost_region_runs_and_costs_nothing_and_its_users_go_elsewhere() -> None:
    found = day(_base(), lost="eastus")
    assert {one.of.region for hour in found.hours for one in hour.running} == {"swedencentral", "japaneast"}
    whole = day(_base())
    assert found.demand_tokens == pytest.approx(whole.demand_tokens)


_counts = st.integers(min_value=0, max_value=12)


@st.composite
def _fleets(draw: st.DrawFn) -> Fleet:
    """Any servers on nodes that hold them, in the sample's regions; regular nodes are dearer than spot ones."""
    base, servers, nodes = _base(), list[Servers](), list[Nodes]()
    for region in base.regions:
        for model in base.demand:
            regular, spot = draw(_counts), draw(_counts)
            floors = tuple(draw(st.lists(st.integers(0, regular), min_size=2, max_size=2))) * 12
            one = _servers(
                region,
                model,
                regular=regular,
                spot=spot,
                per_unit=draw(st.integers(1, 3)),
                unit_nodes=draw(st.integers(1, 2)),
                tokens_per_s=draw(st.floats(100, 5000)),
                size=f"{region}-{model}",
                floors=floors,
            )
            servers.append(one)
            for priority, replicas, usd in ((REGULAR, regular, "10"), (SPOT, spot, "3")):
                most = one.nodes(replicas)
                # As planned: the warm floor is what the least of the regular nodes holds.
                least = draw(st.integers(0, one.nodes(min(floors)) if priority is REGULAR else most))
                nodes.append(replace(_nodes(region, least, most, usd, priority), size=one.size))
    return replace(base, servers=tuple(servers), nodes=tuple(nodes))


_states = st.sampled_from(("", "eastus", "swedencentral", "japaneast"))


@settings(deadline=None, max_examples=20)
@given(_fleets(), _states, st.booleans())
def test_nothing_is_served_beyond_capacity_nor_lost(some: Fleet, lost: str, spot: bool) -> None:
    for hour in day(some, lost=lost, spot=spot).hours:
        assert hour.served + sum(hour.unmet.values()) == pytest.approx(sum(hour.demand.values()))
        for load in hour.loads:
            servers = load.servers
            assert load.served <= (load.regular + load.spot) * servers.tokens_per_s + 1e-6
            assert servers.floors[hour.hour] <= load.regular + load.spot <= most_replicas(servers, spot=spot)
            assert 0 <= load.spot <= (servers.spot_replicas if spot else 0)
            assert load.regular <= servers.regular_replicas
        for one in hour.running:
            assert one.of.least <= one.nodes <= one.of.most
        assert lost not in {load.servers.region for load in hour.loads}


@settings(deadline=None, max_examples=20)
@given(_fleets(), st.integers(0, 23), st.integers(0, 5))
def test_a_higher_floor_never_costs_less_nor_serves_less(some: Fleet, hour: int, index: int) -> None:
    servers = some.servers[index]
    floors = list(servers.floors)
    floors[hour] = min(floors[hour] + 1, servers.regular_replicas)
    raised = replace(servers, floors=tuple(floors))
    more = replace(some, servers=tuple(raised if one is servers else one for one in some.servers))
    before, after = day(some), day(more)
    assert after.usd >= before.usd
    assert after.unmet_tokens <= before.unmet_tokens + 1e-6


def test_the_same_file_gives_the_same_figures() -> None:
    first, second = (_figures(ahead().day) for _ in range(2))
    assert first == second


def _figures(found: Day) -> Mapping[str, object]:
    return {"usd": found.usd, "hours": [(hour.served, hour.usd) for hour in found.hours]}

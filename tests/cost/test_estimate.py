from __future__ import annotations

from decimal import Decimal

import pytest

from gpufleet.cost import PriceKind, Verdict
from gpufleet.cost.money import NOTHING, Bounds
from gpufleet.spec import parse_environment
from tests.cost.samples import (
    H100,
    NC80,
    Resource,
    fabric,
    gap,
    line,
    plain,
    pool_items,
    priced,
    priced_one,
    resource,
    with_pools,
)

_H100 = {"name": "h100", "sku": H100, "nodes": 4}
_NOIB = "Standard_ND96is_noIB_H100_v5"
"""Without InfiniBand, so it may be spot; 88.488 USD an hour in eastus."""


def _usd(floor: str, expected: str, ceiling: str) -> Bounds:
    return Bounds(Decimal(floor), Decimal(expected), Decimal(ceiling))


@pytest.mark.parametrize(
    ("place", "usd", "hourly", "monthly", "period"),
    [
        ("eastus", "98.32", "393.280000", "287094.40", "292600.32"),
        ("uksouth", "122.90", "491.600000", "358868.00", "365750.40"),
    ],
)
def test_four_h100_nodes_to_the_cent(place: str, usd: str, hourly: str, monthly: str, period: str) -> None:
    found = priced(with_pools(_H100, place=place))
    compute = line(found, f"{H100} regular")
    assert compute.quantity == Bounds.fixed(4)
    assert (compute.rate.usd, compute.rate.unit, compute.rate.kind) == (Decimal(usd), "node-hour", PriceKind.LIST)
    assert compute.rate.as_of == "2026-06-18"
    assert compute.amount.hourly == _usd(hourly, hourly, hourly)
    assert compute.amount.monthly == _usd(monthly, monthly, monthly)
    assert compute.amount.period == _usd(period, period, period)
    assert (found.total, found.unpriced) == (compute.amount, ())


def test_a_pool_from_none_to_eight_is_nothing_at_the_floor_and_eight_at_the_ceiling() -> None:
    found = priced(with_pools({**_H100, "nodes": {"min": 0, "max": 8}}))
    assert line(found, f"{H100} regular").amount.monthly == _usd("0.00", "574188.80", "574188.80")


def test_declared_use_lies_between() -> None:
    found = priced(with_pools({**_H100, "nodes": {"min": 0, "max": 8}, "usage": {"utilizationPercent": 25}}))
    assert line(found, f"{H100} regular").amount.monthly == _usd("0.00", "143547.20", "574188.80")


def test_spot_h100_has_no_price_and_none_is_made_up() -> None:
    found = priced(with_pools(_H100, {"name": "spot", "sku": _NOIB, "nodes": {"min": 0, "max": 8}, "priority": "spot"}))
    missing = gap(found, f"{_NOIB} spot")
    assert missing.reason == f"no source gives a spot price for {_NOIB} in eastus"
    assert missing.fix == (
        f"Give a planning price: prices: {{assumed: [{{sku: {_NOIB}, priority: spot, unit: hour, usd: …, reason: …}}]}}"
    )
    assert missing.quantity == _usd("0", "8", "8")
    assert found.total.monthly == Bounds.fixed(Decimal("287094.40"))
    # What it would be if all of it fell back is known, and no part of the total.
    assert found.worst.monthly.ceiling == Decimal("287094.40") + 8 * Decimal("64596.24")
    assert [one.meter for one in found.lines] == [f"{H100} regular"]


def test_a_planning_price_is_assumed_and_counted_apart() -> None:
    assumed = {"sku": _NOIB, "priority": "spot", "usd": 40.5, "unit": "hour", "reason": "a quotation of October"}
    spot = {"name": "spot", "sku": _NOIB, "nodes": {"min": 0, "max": 2}, "priority": "spot"}
    found = priced(with_pools(_H100, spot, prices={"assumed": [assumed]}))
    planned = line(found, f"{_NOIB} spot")
    assert (planned.rate.kind, planned.rate.note) == (PriceKind.ASSUMED, "a quotation of October")
    assert found.of_kind(PriceKind.ASSUMED).monthly == _usd("0.00", "59130.00", "59130.00")
    assert found.of_kind(PriceKind.LIST).monthly == Bounds.fixed(Decimal("287094.40"))
    assert found.worst.monthly.ceiling == Decimal("287094.40") + 2 * Decimal("64596.24")
    assert (found.unpriced, found.unused) == ((), ())


def test_a_planning_price_never_takes_the_place_of_a_list_price() -> None:
    assumed = {"sku": H100, "usd": 1, "unit": "hour", "reason": "we wish it were"}
    found = priced(with_pools(_H100, prices={"assumed": [assumed]}))
    assert line(found, f"{H100} regular").rate.kind is PriceKind.LIST
    assert tuple(map(str, found.unused)) == (f"prices.assumed[0] ({H100}): a price is known, or nothing here needs it",)


def test_spot_with_a_spot_price_is_priced_as_spot() -> None:
    size = "Standard_NC4as_T4_v3"
    spot = {"name": "t4", "sku": size, "nodes": {"min": 0, "max": 2}, "priority": "spot", "osDiskGiB": 128}
    found = priced(with_pools(_H100, spot))
    assert line(found, f"{size} spot").amount.monthly.ceiling == Decimal("91.54")
    assert line(found, f"{size} spot").worst.monthly.ceiling == Decimal("767.96")


def test_the_gate_holds_the_chosen_bound_of_the_longest_month_against_the_budget() -> None:
    pools = [{**_H100, "nodes": {"min": 2, "max": 4}, "usage": {"utilizationPercent": 75}}]
    verdicts = {}
    for gate, limit in (("floor", 146300), ("expected", 219450), ("ceiling", 292600)):
        for budget in (limit, limit + 1):
            spec = {"monthlyUsd": budget, "gate": gate, "start": "2026-12-01", "contacts": ["a@example.com"]}
            verdicts[gate, budget] = priced(with_pools(*pools, budget=spec)).verdict
    assert verdicts == {
        ("floor", 146300): Verdict.OVER,  # 2 x 98.32 x 744 = 146,300.16
        ("floor", 146301): Verdict.WITHIN,
        ("expected", 219450): Verdict.OVER,
        ("expected", 219451): Verdict.WITHIN,
        ("ceiling", 292600): Verdict.OVER,
        ("ceiling", 292601): Verdict.WITHIN,
    }


def test_what_costs_exactly_the_budget_is_within_it() -> None:
    budget = {"monthlyUsd": 292600.32, "start": "2026-12-01", "contacts": ["a@example.com"]}
    found = priced(with_pools(_H100, budget=budget))
    assert (found.held, found.verdict) == (Decimal("292600.32"), Verdict.WITHIN)


def test_an_unknown_type_is_unpriced() -> None:
    found = priced_one(resource("quantum:Workspace"))
    missing = gap(found, "azure-native:quantum:Workspace")
    assert missing.reason == "nothing says what this type of resource costs, or that it is free"
    assert (missing.category, missing.quantity, missing.origin.component) == (None, None, "environment")


def test_an_api_version_in_the_type_is_the_same_type() -> None:
    found = priced_one(resource("network/v20240501:NatGateway", "ng", fabric()))
    assert [one.meter for one in found.lines] == ["NAT Gateway: Gateway"]


@pytest.mark.parametrize("marker", [object(), None, True])
def test_a_size_that_is_not_known_yet_is_unpriced(marker: object) -> None:
    pool = resource("containerservice:AgentPool", "p", fabric(), vmSize=marker, count=2, osDiskSizeGB=128)
    found = priced_one(pool)
    assert gap(found, "a VM size that is not known yet").quantity == Bounds.fixed(2)
    assert found.total.monthly == NOTHING


@pytest.mark.parametrize("marker", [object(), None, "3", True, -1, float("nan"), float("inf"), 1e308])
def test_a_count_that_is_not_known_yet_is_unpriced(marker: object) -> None:
    pool = resource("containerservice:AgentPool", "p", fabric(), vmSize=H100, count=marker, osDiskSizeGB=128)
    assert gap(priced_one(pool), f"{H100} regular").reason == "its number of nodes is not known before it exists"


def test_a_size_without_a_price_in_the_region_takes_no_other_regions_price() -> None:
    found = priced(with_pools({"name": "h100", "sku": H100, "nodes": 1}), [*_moved_to("belgiumcentral")])
    assert gap(found, f"{H100} regular").reason == "the price list has no meters at all for belgiumcentral"


def _moved_to(place: str) -> list[Resource]:
    items = pool_items(with_pools({"name": "h100", "sku": H100, "nodes": 1}))
    return [
        items[0],
        Resource(
            type=items[1].type,
            name=items[1].name,
            parent=items[1].parent,
            properties={**items[1].properties, "location": place},
        ),
    ]


def test_a_region_may_be_written_as_the_portal_does() -> None:
    found = priced(with_pools(_H100), _moved_to("UK South"))
    assert line(found, f"{H100} regular").rate.usd == Decimal("122.90")


def test_a_fabric_that_the_specification_does_not_have() -> None:
    pool = resource("containerservice:AgentPool", "p", fabric("gone"), vmSize=H100, count=2, osDiskSizeGB=128)
    found = priced(parse_environment(plain()), [fabric("gone"), pool])
    missing = gap(found, f"{H100} regular")
    assert (missing.origin.component, missing.origin.region) == ("training gone", "unknown")
    assert missing.reason == "nothing tells the region that it is in"


def test_a_pool_that_the_specification_does_not_have_is_expected_at_its_maximum() -> None:
    pool = resource(
        "containerservice:AgentPool",
        "old",
        fabric(),
        agentPoolName="old01aa",
        vmSize=H100,
        enableAutoScaling=True,
        count=1,
        minCount=1,
        maxCount=3,
        osDiskSizeGB=128,
    )
    found = line(priced_one(pool), f"{H100} regular")
    assert found.quantity == _usd("1", "3", "3")
    assert (found.origin.pool, found.note) == ("old01aa", "not a pool of the specification: expected at its maximum")


def test_parents_in_a_circle_end() -> None:
    one = Resource(type="a:b:C", name="one", parent="urn:pulumi:test::gpufleet::a:b:C::two")
    two = Resource(type="a:b:C", name="two", parent=one.urn)
    assert [missing.origin.component for missing in priced_one(one).unpriced] == ["environment"]
    assert len(priced(parse_environment(plain()), [one, two]).unpriced) == 2


def test_sums_by_component_pool_region_and_priority() -> None:
    inference = {
        "regions": [
            {
                "name": "eastus",
                "pools": [
                    {"name": "nc", "sku": NC80, "nodes": 2},
                    {"name": "t4", "sku": "Standard_NC4as_T4_v3", "nodes": 1, "priority": "spot", "osDiskGiB": 128},
                ],
            }
        ]
    }
    found = priced(parse_environment(plain(inference=inference)))
    ceilings = {name: amount.monthly.ceiling for name, amount in found.by(lambda one: one.component).items()}
    assert ceilings == {"inference eastus": Decimal("20427.37"), "training lab": Decimal("287094.40")}
    assert {name: amount.monthly.ceiling for name, amount in found.by(lambda one: one.pool).items()} == {
        "h100": Decimal("287094.40"),
        "nc": Decimal("20381.60"),
        "t4": Decimal("45.77"),
    }
    assert found.by(lambda one: one.region) == {"eastus": found.total}


def test_dates_span_the_prices_used() -> None:
    gateway = resource("network:NatGateway", "ng", fabric())
    environment = with_pools(_H100)
    assert priced(environment).dates() == ("2026-06-18", "2026-06-18")
    assert priced(environment, [*pool_items(environment), gateway]).dates() == ("2024-07-01", "2026-06-18")
    assert priced(environment, []).dates() == ("", "")


def test_prices_without_a_date_are_told_apart() -> None:
    t4 = {"name": "t4", "sku": "Standard_NC4as_T4_v3", "nodes": 1, "priority": "spot", "osDiskGiB": 128}
    found = priced(with_pools(_H100, t4))
    assert (found.dates(), found.undated()) == (("2026-06-18", "2026-06-18"), ("2024 to 2025",))

"""What holds for any environment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.cost import Estimate
from gpufleet.cost.lines import Amount
from gpufleet.cost.money import Bounds
from gpufleet.cost.rates import PriceKind
from gpufleet.spec import Environment
from tests.cost.samples import H100, NC80, pool_items, priced, with_pools

_SIZES = [H100, NC80, "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4", "Standard_D32s_v5"]
_PERCENT = st.floats(0, 100).map(lambda value: round(value, 2))


@st.composite
def _pool(draw: st.DrawFn, name: str) -> dict[str, Any]:
    size = draw(st.sampled_from(_SIZES))
    spot = size != H100 and draw(st.booleans())  # InfiniBand is never spot
    least = draw(st.integers(0, 20))
    most = draw(st.integers(max(1, least), 40))
    pool: dict[str, Any] = {"name": name, "sku": size, "nodes": {"min": least, "max": most}}
    if draw(st.booleans()):
        pool["nodes"] = most
    if spot:
        pool["priority"] = "spot"
    if draw(st.booleans()):
        pool["usage"] = {"utilizationPercent": draw(_PERCENT), "hoursPerWeek": draw(st.integers(1, 168))}
        if spot and draw(st.booleans()):
            pool["usage"]["spotAvailabilityPercent"] = draw(_PERCENT)
    return pool


@st.composite
def _pools(draw: st.DrawFn) -> list[dict[str, Any]]:
    gpu = {"name": "gpu", "sku": H100, "nodes": draw(st.integers(1, 250))}
    return [gpu, *(draw(_pool(f"p{index}")) for index in range(draw(st.integers(0, 4))))]


def _regions() -> st.SearchStrategy[str]:
    return st.sampled_from(["eastus", "westus3", "swedencentral"])


def _environment(pools: list[dict[str, Any]], place: str, assumed: float | None) -> Environment:
    prices: dict[str, Any] = {}
    if assumed is not None:
        reason = "for the property's sake"
        prices = {
            "assumed": [{"sku": NC80, "priority": "spot", "usd": assumed, "unit": "hour", "reason": reason}],
        }
    return with_pools(*pools, place=place, prices=prices, allowedRegions=["eastus", "westus3", "swedencentral"])


_ASSUMED = st.none() | st.floats(0.001, 100).map(lambda value: round(value, 5))


def _in_order(bounds: Bounds) -> bool:
    return 0 <= bounds.floor <= bounds.expected <= bounds.ceiling


def _clocks(amount: Amount) -> tuple[Bounds, Bounds, Bounds]:
    return amount.hourly, amount.monthly, amount.period


@settings(max_examples=60, deadline=None)
@given(_pools(), _regions(), _ASSUMED)
def test_bounds_are_in_order_and_parts_add_up(pools: list[dict[str, Any]], place: str, assumed: float | None) -> None:
    found = priced(_environment(pools, place, assumed))
    for line in found.lines:
        assert all(_in_order(bounds) for bounds in _clocks(line.amount))
        assert line.amount.monthly == line.amount.monthly.map(lambda usd: usd.quantize(Decimal("0.01")))
    assert all(_in_order(bounds) for bounds in _clocks(found.total))
    assert all(_in_order(bounds) for bounds in _clocks(found.worst))
    assert found.worst.monthly.ceiling >= found.total.monthly.ceiling
    assert Bounds.total(line.amount.monthly for line in found.lines) == found.total.monthly
    assert Bounds.total(one.monthly for one in found.by(lambda origin: origin.pool).values()) == found.total.monthly
    assert Bounds.total(found.of_kind(kind).monthly for kind in PriceKind) == found.total.monthly


@settings(max_examples=60, deadline=None)
@given(_pools(), _regions(), _ASSUMED)
def test_every_node_is_in_a_line_or_unpriced_and_never_free(
    pools: list[dict[str, Any]], place: str, assumed: float | None
) -> None:
    found = priced(_environment(pools, place, assumed))
    counted = {name: Decimal(0) for name in (pool["name"] for pool in pools)}
    for part in found.parts:
        if part.category == "compute":
            assert part.quantity is not None
            counted[part.origin.pool] += part.quantity.ceiling
    most = {pool["name"]: pool["nodes"] if isinstance(pool["nodes"], int) else pool["nodes"]["max"] for pool in pools}
    assert counted == most
    assert all(line.amount.monthly.ceiling > 0 for line in found.lines)
    assert all(part.priority == "spot" or part.category == "storage" for part in found.unpriced)


def _larger(pool: dict[str, Any], nodes: int) -> dict[str, Any]:
    bounds = pool["nodes"]
    if isinstance(bounds, int):
        return {**pool, "nodes": bounds + nodes}
    return {**pool, "nodes": {"min": bounds["min"], "max": bounds["max"] + nodes}}


def _not_less(before: Estimate, after: Estimate) -> bool:
    pairs = zip(_clocks(before.total), _clocks(after.total), strict=True)
    return all(
        old.floor <= new.floor and old.expected <= new.expected and old.ceiling <= new.ceiling for old, new in pairs
    )


@settings(max_examples=60, deadline=None)
@given(_pools(), _regions(), st.integers(1, 30), st.data())
def test_more_nodes_never_cost_less(pools: list[dict[str, Any]], place: str, more: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(pools) - 1))
    before = priced(_environment(pools, place, 5.0))
    pools[index] = _larger(pools[index], more)
    after = priced(_environment(pools, place, 5.0))
    assert _not_less(before, after)
    assert after.worst.monthly.ceiling >= before.worst.monthly.ceiling


@settings(max_examples=30, deadline=None)
@given(_pools(), _regions())
def test_another_pool_never_costs_less(pools: list[dict[str, Any]], place: str) -> None:
    before = priced(_environment(pools, place, None))
    more = [*pools, {"name": "extra", "sku": NC80, "nodes": {"min": 0, "max": 3}, "priority": "spot"}]
    after = priced(_environment(more, place, None))
    assert _not_less(before, after)
    assert len(after.unpriced) == len(before.unpriced) + 1


@settings(max_examples=30, deadline=None)
@given(_pools(), st.permutations(range(6)))
def test_the_order_of_resources_does_not_matter(pools: list[dict[str, Any]], order: list[int]) -> None:
    environment = with_pools(*pools)
    items = pool_items(environment)
    shuffled = sorted(items, key=lambda item: order[hash(item.name) % len(order)])
    assert priced(environment, items).total == priced(environment, shuffled).total

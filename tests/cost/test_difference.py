from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from gpufleet.cost import CostDifference, compare
from gpufleet.cost.reasons import Difference, differences
from gpufleet.spec import parse_environment
from tests.cost.samples import H100, NC80, plain, priced

_BASE: dict[str, Any] = plain(
    training=[
        {
            "name": "lab",
            "region": "eastus",
            "pools": [
                {"name": "h100", "sku": H100, "nodes": {"min": 0, "max": 4}},
                {"name": "data", "sku": "Standard_D32s_v5", "nodes": 2, "osDiskGiB": 128},
            ],
        }
    ],
    inference={"regions": [{"name": "eastus", "pools": [{"name": "nc", "sku": NC80, "nodes": 2}]}]},
)


def _changed(**changes: object) -> dict[str, Any]:
    value = copy.deepcopy(_BASE)
    for path, new in changes.items():
        holder: Any = value
        *keys, last = [int(key) if key.isdigit() else key for key in path.split("__")]
        for key in keys:
            holder = holder[key]
        holder[last] = new
    return value


def _compare(after: dict[str, Any], before: dict[str, Any] | None = None) -> CostDifference:
    old, new = parse_environment(before or _BASE), parse_environment(after)
    return compare((old, priced(old)), (new, priced(new)), base="main (1a2b3c4)")


def _said(after: dict[str, Any]) -> list[tuple[str, str]]:
    found = differences(parse_environment(_BASE), parse_environment(after))
    return [(one.component, one.text) for one in found]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training__0__pools__0__nodes": {"min": 0, "max": 8}}, [("training lab", "pool h100: max 4 → 8")]),
        (
            {"training__0__pools__0__nodes": {"min": 2, "max": 8}},
            [("training lab", "pool h100: min 0 → 2"), ("training lab", "pool h100: max 4 → 8")],
        ),
        ({"training__0__pools__1__nodes": 5}, [("training lab", "pool data: nodes 2 → 5")]),
        (
            {"training__0__pools__1__nodes": {"min": 0, "max": 2}},
            [("training lab", "pool data: nodes 2 → 0 to 2")],
        ),
        (
            {"training__0__pools__0__sku": "Standard_ND96asr_v4"},
            [("training lab", f"pool h100: sku {H100} → Standard_ND96asr_v4")],
        ),
        (
            {"training__0__name": "den"},
            [("training lab", "training lab removed"), ("training den", "training den added")],
        ),
        (
            {"inference__regions__0__pools__0__usage": {"utilizationPercent": 40}},
            [("inference eastus", "pool nc: usage nothing → utilizationPercent 40, hoursPerWeek 168")],
        ),
        ({"budget__gate": "floor"}, [("", "budget gate ceiling → floor")]),
        ({"registry": {"sku": "Premium"}}, []),
        ({"inference": None}, [("inference eastus", "inference eastus removed")]),
        (
            {
                "prices": {
                    "assumed": [
                        {"sku": NC80, "priority": "spot", "usd": 7, "unit": "hour", "reason": "a guess of ours"}
                    ]
                }
            },
            [("", f"planning price of {NC80} spot added")],
        ),
        ({"usage": {"registryGb": 20}}, [("", "registryGb nothing → 20")]),
    ],
)
def test_differences_in_the_words_of_the_stack_file(changes: dict[str, object], said: list[tuple[str, str]]) -> None:
    assert _said(_changed(**changes)) == said


def test_a_pool_that_comes_and_one_that_goes() -> None:
    pools = [_BASE["training"][0]["pools"][0], {"name": "cpu", "sku": "Standard_D32s_v5", "nodes": 1, "osDiskGiB": 128}]
    assert _said(_changed(training__0__pools=pools)) == [
        ("training lab", "pool data removed"),
        ("training lab", "pool cpu added"),
    ]


def test_a_raised_maximum_costs_by_component_and_says_why() -> None:
    found = _compare(_changed(training__0__pools__0__nodes={"min": 0, "max": 8}))
    (change,) = found.changes
    assert (change.component, change.reasons) == ("training lab", ("pool h100: max 4 → 8",))
    assert change.delta.monthly.ceiling == Decimal("287094.40")
    assert change.delta.monthly.floor == 0
    assert found.delta == change.delta
    assert (found.base, found.rotations, found.newly_unpriced, found.newly_priced) == ("main (1a2b3c4)", (), (), ())


def test_the_same_is_no_change() -> None:
    found = _compare(copy.deepcopy(_BASE))
    assert (found.changes, found.rotations, found.delta.monthly.ceiling) == ((), (), Decimal("0.00"))


def test_a_change_that_costs_nothing_is_told_with_its_component() -> None:
    (change,) = _compare(_changed(training__0__pools__0__labels={"team": "a"})).changes
    assert (change.delta.monthly.ceiling, change.reasons) == (Decimal("0.00"), ("pool h100: labels team nothing → a",))


def test_a_component_that_goes() -> None:
    (change,) = _compare(_changed(inference=None)).changes
    assert (change.component, change.reasons) == ("inference eastus", ("inference eastus removed",))
    assert change.delta.monthly.ceiling == Decimal("-20381.60")


def test_a_change_that_aks_cannot_make_in_place_runs_both_pools_for_a_while() -> None:
    found = _compare(_changed(training__0__pools__0__osDiskGiB=512))
    (rotation,) = found.rotations
    assert (rotation.component, rotation.pool, rotation.hourly) == ("training lab", "h100", Decimal("393.28"))
    assert [name.rsplit("-", 1)[1][:6] for name in (*rotation.gone, *rotation.new)] == ["h10001", "h10001"]
    assert rotation.gone != rotation.new


def test_growing_over_the_edge_of_an_infiniband_domain_is_no_rotation() -> None:
    before, after = _changed(training__0__pools__0__nodes=100), _changed(training__0__pools__0__nodes=101)
    found = _compare(after, before)
    assert (found.rotations, found.delta.monthly.ceiling) == ((), Decimal("71773.60"))


def test_what_loses_its_price_is_told_apart() -> None:
    spot = {"name": "spot", "sku": NC80, "nodes": 1, "priority": "spot"}
    found = _compare(_changed(inference__regions__0__pools=[_BASE["inference"]["regions"][0]["pools"][0], spot]))
    assert [part.meter for part in found.newly_unpriced] == [f"{NC80} spot"]
    assert found.delta.monthly.ceiling == 0
    back = _compare(_BASE, _changed(inference__regions__0__pools=[_BASE["inference"]["regions"][0]["pools"][0], spot]))
    assert [part.meter for part in back.newly_priced] == [f"{NC80} spot"]


def test_long_values_are_cut() -> None:
    groups = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(3)]
    (one,) = differences(
        parse_environment(_BASE), parse_environment(_changed(training__0__cluster={"adminGroupObjectIds": groups}))
    )
    assert isinstance(one, Difference)
    assert one.text.startswith("adminGroupObjectIds nothing → ")
    assert len(one.text) == len("adminGroupObjectIds nothing → ") + 60

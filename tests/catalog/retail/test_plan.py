from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gpufleet.catalog.prices import COLUMNS
from gpufleet.catalog.retail.meters import Key, Meters
from gpufleet.catalog.retail.plan import Change, ChangeKind, Objection, Plan, plan

H100 = "Standard_ND96isr_H100_v5"
T4 = "Standard_NC4as_T4_v3"
DAY = date(2026, 11, 21)


def line(size: str, region: str, regular: str, spot: str = "") -> dict[str, str]:
    dates = {"on_demand_as_of": "2026-06-18", "on_demand_source": "KARP", "on_demand_confidence": "high"}
    spots = {"spot_as_of": "2024 to 2025", "spot_source": "SKY", "spot_confidence": "low"} if spot else {}
    cells = dict.fromkeys(COLUMNS, "") | dates | spots
    return cells | {"sku": size, "region": region, "on_demand_usd_per_hour": regular, "spot_usd_per_hour": spot}


def meters(
    usd: dict[Key, str],
    *,
    ambiguous: dict[Key, tuple[Decimal, ...]] | None = None,
    zero: frozenset[Key] = frozenset(),
) -> Meters:
    values = {key: Decimal(text) for key, text in usd.items()}
    return Meters(usd=values, ambiguous=ambiguous or {}, skipped={}, zero=zero)


def planned(old: list[dict[str, str]], found: Meters, regions: tuple[str, ...] = ("eastus", "uksouth")) -> Plan:
    return plan(old, found, sizes={H100, T4}, regions=regions, day=DAY)


def doubts(made: Plan) -> list[Objection]:
    return [doubt.objection for doubt in made.doubts]


def test_what_is_added_gone_changed_and_unchanged() -> None:
    old = [line(H100, "eastus", "98.32"), line(H100, "uksouth", "122.9"), line(T4, "eastus", "0.526", "0.06")]
    made = planned(
        old, meters({(H100, "eastus", False): "98.32", (T4, "eastus", False): "0.5", (T4, "uksouth", False): "0.6"})
    )
    assert made.changes == (
        Change(kind=ChangeKind.CHANGED, size=T4, region="eastus", spot=False, old=Decimal("0.526"), new=Decimal("0.5")),
        Change(kind=ChangeKind.GONE, size=T4, region="eastus", spot=True, old=Decimal("0.06"), new=None),
        Change(kind=ChangeKind.ADDED, size=T4, region="uksouth", spot=False, old=None, new=Decimal("0.6")),
        Change(kind=ChangeKind.GONE, size=H100, region="uksouth", spot=False, old=Decimal("122.9"), new=None),
    )
    assert (made.unchanged, made.doubts) == (1, ())
    percent = made.changes[0].percent
    assert percent is not None
    assert round(percent, 2) == Decimal("-4.94")
    assert made.changes[1].percent is None


def test_the_new_lines_say_where_they_are_from() -> None:
    made = planned(
        [line(T4, "eastus", "0.526", "0.06")], meters({(T4, "eastus", False): "0.5", (T4, "eastus", True): "0.05"})
    )
    assert made.rows == (
        {
            "sku": T4,
            "region": "eastus",
            "on_demand_usd_per_hour": "0.5",
            "spot_usd_per_hour": "0.05",
            "on_demand_as_of": "2026-11-21",
            "spot_as_of": "2026-11-21",
            "on_demand_source": "RETAIL",
            "spot_source": "RETAIL",
            "on_demand_confidence": "high",
            "spot_confidence": "high",
            "note": "",
        },
    )


def test_an_old_spot_price_does_not_outlive_its_meter() -> None:
    made = planned([line(T4, "eastus", "0.526", "0.06")], meters({(T4, "eastus", False): "0.526"}))
    assert [(cells["spot_usd_per_hour"], cells["spot_source"]) for cells in made.rows] == [("", "")]


def test_other_regions_and_sizes_stay_as_they_are() -> None:
    other = line("Standard_Z1", "eastus", "1"), line(H100, "westus", "127.82")
    made = planned([*other, line(H100, "eastus", "98.32")], meters({(H100, "eastus", False): "97"}), ("eastus",))
    assert [dict(cells) for cells in made.rows if cells["on_demand_source"] == "KARP"] == [other[1], other[0]]
    assert len(made.changes) == 1


def test_a_large_and_a_small_number_are_written_out() -> None:
    made = planned([], meters({(T4, "eastus", False): "1E+2", (T4, "uksouth", False): "1E-7"}))
    assert [cells["on_demand_usd_per_hour"] for cells in made.rows] == ["100", "0.0000001"]


def test_a_size_that_vanishes() -> None:
    old = [line(H100, "eastus", "98.32"), line(T4, "eastus", "0.526"), line(T4, "uksouth", "0.6")]
    made = planned(old, meters({(T4, "eastus", False): "0.526", (T4, "uksouth", False): "0.6"}))
    assert [doubt.text for doubt in made.doubts] == [f"{H100} had a price in 1 region and has none now"]
    assert doubts(made) == [Objection.VANISHED]


def test_fewer_than_half() -> None:
    old = [line(size, region, "9") for size in (H100, T4) for region in ("eastus", "uksouth")]
    exactly_half = planned(old, meters({(H100, "eastus", False): "9", (T4, "eastus", False): "9"}))
    assert doubts(exactly_half) == []
    one = planned(old, meters({(H100, "eastus", False): "9"}))
    assert doubts(one) == [Objection.VANISHED, Objection.FEWER]
    assert one.doubts[1].text == "1 regular prices instead of 4: fewer than half"


@pytest.mark.parametrize(("new", "odd"), [("29.9", False), ("30", True), ("3.34", False), ("3.3", True)])
def test_three_times_or_a_third(new: str, odd: bool) -> None:
    made = planned([line(H100, "eastus", "10")], meters({(H100, "eastus", False): new}))
    assert doubts(made) == ([Objection.JUMP] if odd else [])


def test_a_price_that_becomes_zero() -> None:
    key = (H100, "uksouth", False)
    old = [line(H100, "eastus", "98.32"), line(H100, "uksouth", "122.9")]
    made = planned(old, meters({(H100, "eastus", False): "98.32"}, zero=frozenset({key, (T4, "eastus", False)})))
    assert [doubt.text for doubt in made.doubts] == [f"{H100} in uksouth was 122.9 USD an hour and is 0 now"]
    assert [cells["region"] for cells in made.rows] == ["eastus"]


def test_a_price_that_rises_by_what_windows_costs() -> None:
    # 96 vCPUs at 0.046
    made = planned([line(H100, "eastus", "98.32")], meters({(H100, "eastus", False): "102.736"}))
    assert doubts(made) == [Objection.WINDOWS]
    assert made.doubts[0].text.endswith("is up by what Windows costs, 0.046 for each of 96 vCPUs")
    assert doubts(planned([line(H100, "eastus", "98.32")], meters({(H100, "eastus", False): "103"}))) == []


def test_what_is_ambiguous_keeps_its_old_price() -> None:
    key = (H100, "eastus", False)
    made = planned(
        [line(H100, "eastus", "98.32")],
        meters({}, ambiguous={key: (Decimal("98.32"), Decimal(110)), (T4, "eastus", False): (Decimal(1), Decimal(2))}),
    )
    assert doubts(made) == [Objection.AMBIGUOUS, Objection.AMBIGUOUS]
    assert [(cells["sku"], cells["on_demand_usd_per_hour"], cells["on_demand_as_of"]) for cells in made.rows] == [
        (H100, "98.32", "2026-06-18")
    ]


@pytest.mark.parametrize(("spot", "odd"), [("0.2", False), ("0.526", True), ("0.7", True)])
def test_spot_at_the_regular_price(spot: str, odd: bool) -> None:
    made = planned([line(T4, "eastus", "0.526")], meters({(T4, "eastus", False): "0.526", (T4, "eastus", True): spot}))
    assert doubts(made) == ([Objection.SPOT_NOT_BELOW] if odd else [])

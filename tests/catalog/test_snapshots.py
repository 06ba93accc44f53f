from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gpufleet.catalog import CatalogError, prices, snapshots
from gpufleet.catalog.prices import Priced, Unpriced

H100 = "Standard_ND96isr_H100_v5"
HEAD = ",".join(prices.COLUMNS)
GOOD = f"{H100},eastus,97.5,,2026-06-19,,RETAIL,,high,,"


def put(folder: Path, day: str, *lines: str, end: str = "\n") -> Path:
    file = folder / f"prices-{day}.csv"
    file.write_text("\n".join([HEAD, *lines]) + end)
    prices.forget()
    return file


def test_the_one_that_ships_is_used_where_there_is_no_other(own_prices: Path) -> None:
    current = snapshots.current()
    assert (current.day, current.shipped) == (date(2026, 6, 18), True)
    assert current.label == "gpufleet/catalog/data/prices-2026-06-18.csv"


def test_the_newest_is_used(own_prices: Path) -> None:
    put(own_prices, "2026-06-19", GOOD)
    newest = put(own_prices, "2026-07-01", GOOD.replace("97.5", "96"))
    assert snapshots.current().path == newest
    assert prices.day() == date(2026, 7, 1)
    assert prices.regular(H100, "eastus") == Priced(
        usd_per_hour=Decimal(96), as_of="2026-06-19", source="RETAIL", confidence="high"
    )
    assert prices.regular(H100, "uksouth") == Unpriced("the price list has no meters at all for uksouth")
    assert [snapshot.day.isoformat() for snapshot in snapshots.every()] == ["2026-06-18", "2026-06-19", "2026-07-01"]


def test_an_older_one_of_ones_own_is_not(own_prices: Path) -> None:
    put(own_prices, "2026-01-01", GOOD)
    assert snapshots.current().shipped


def test_of_one_day_ones_own_is(own_prices: Path) -> None:
    mine = put(own_prices, "2026-06-18", GOOD.replace("2026-06-19", "2026-06-18"))
    assert snapshots.current().path == mine


def test_one_from_the_future_is_not_believed(own_prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "today", lambda: date(2026, 11, 21))
    put(own_prices, "2026-11-21", GOOD)
    assert snapshots.current().day == date(2026, 11, 21)
    file = put(own_prices, "2026-11-22", GOOD)
    with pytest.raises(CatalogError) as caught:
        prices.regular(H100, "eastus")
    assert caught.value.message == f"{file}: the price list is dated 2026-11-22, and today is 2026-11-21 (UTC)"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "name", ["prices-2026-13-01.csv", "prices-20260618.csv", "prices-latest.csv", "prices-2026-W01-1.csv"]
)
def test_a_name_without_a_day(name: str, own_prices: Path) -> None:
    (own_prices / name).write_text(HEAD + "\n")
    with pytest.raises(CatalogError, match=r"a price list is called prices-<date>\.csv"):
        prices.day()


@pytest.mark.parametrize("name", ["README.md", ".prices-x.part", "prices.csv", "old-prices-2026-01-01.csv"])
def test_what_else_lies_there_is_left_alone(name: str, own_prices: Path) -> None:
    (own_prices / name).write_text("x")
    assert snapshots.current().shipped


@pytest.mark.parametrize(
    ("lines", "end", "cause"),
    [
        ([GOOD, f"{H100},uksouth,122."], "", ":3: the last line has no end, the file seems to be cut off"),
        ([GOOD, f"{H100},uksouth,122.9"], "\n", ":3: 3 cells under 11 columns"),
        (["<<<<<<< HEAD", GOOD, "=======", GOOD, ">>>>>>> theirs"], "\n", ":2: 1 cells under 11 columns"),
        ([GOOD, GOOD], "\n", f":3: {H100} in eastus stands twice"),
        ([GOOD.replace("97.5", "free")], "\n", ":2: on_demand_usd_per_hour is 'free', not a price"),
        ([GOOD.replace("97.5", "NaN")], "\n", ":2: on_demand_usd_per_hour is NaN, not a price between 0 and"),
        ([GOOD.replace("97.5", "-1")], "\n", ":2: on_demand_usd_per_hour is -1, not a price between 0 and"),
        ([GOOD.replace("97.5", "1e9")], "\n", ":2: on_demand_usd_per_hour is 1e9, not a price between 0 and 1,000,000"),
        ([GOOD.replace("RETAIL", "")], "\n", ":2: on_demand_source is empty"),
        ([GOOD.replace("2026-06-19", "")], "\n", ":2: on_demand_as_of is empty"),
        ([GOOD.replace("2026-06-19", "2026-06-20")], "\n", ":2: on_demand_as_of is 2026-06-20, after 2026-06-19"),
        ([GOOD.replace("high", "sure")], "\n", ":2: on_demand_confidence is 'sure', not one of high, medium, low"),
    ],
)
def test_a_damaged_list_is_named_with_its_line(lines: list[str], end: str, cause: str, own_prices: Path) -> None:
    file = put(own_prices, "2026-06-19", *lines, end=end)
    with pytest.raises(CatalogError) as caught:
        prices.regular(H100, "eastus")
    assert caught.value.message.startswith(f"{file}{cause}")


def test_a_list_without_its_columns(own_prices: Path) -> None:
    file = own_prices / "prices-2026-06-19.csv"
    file.write_text("sku,region\n")
    with pytest.raises(CatalogError, match=r"prices-2026-06-19.csv:1: column on_demand_usd_per_hour, "):
        prices.regular(H100, "eastus")


def test_a_list_that_is_no_text(own_prices: Path) -> None:
    (own_prices / "prices-2026-06-19.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogError, match=r"prices-2026-06-19.csv: cannot be read: "):
        prices.regular(H100, "eastus")


def test_zero_is_a_gap_never_a_price(own_prices: Path) -> None:
    put(own_prices, "2026-06-19", GOOD.replace("97.5", "0.00"))
    assert prices.regular(H100, "eastus") == Unpriced(f"the price list has no pay-as-you-go value for {H100} in eastus")
    assert prices.regions(H100) == ()


def test_damage_of_another_size_is_found_by_the_whole_check(own_prices: Path) -> None:
    put(own_prices, "2026-06-19", GOOD, GOOD.replace(H100, "Standard_Other").replace("97.5", "x"))
    assert isinstance(prices.regular(H100, "eastus"), Priced)
    with pytest.raises(CatalogError, match=r":3: on_demand_usd_per_hour is 'x'"):
        prices.rows()


def test_one_size_does_not_parse_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    prices.forget()
    parsed: list[str] = []
    rows = prices._table().__class__.rows

    def counted(table: object, group: str) -> object:
        parsed.append(group)
        return rows(table, group)  # type: ignore[arg-type]

    monkeypatch.setattr(prices._table().__class__, "rows", counted)
    assert isinstance(prices.regular(H100, "eastus"), Priced)
    assert isinstance(prices.regular(H100, "uksouth"), Priced)
    assert parsed == [H100]


@pytest.mark.parametrize("ask", [snapshots.current, snapshots.negotiates])
def test_a_file_in_the_place_of_the_folder_is_not_passed_over(
    ask: Callable[[], object], own_prices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own_prices / "negotiated.yaml"
    file.touch()
    monkeypatch.setenv("GPUFLEET_PRICES", str(file))
    prices.forget()
    with pytest.raises(CatalogError) as caught:
        ask()
    assert caught.value.message == f"{file}: can't be read for price lists: Not a directory"

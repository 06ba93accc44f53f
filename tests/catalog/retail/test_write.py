from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gpufleet.catalog import CatalogError, prices, snapshots
from gpufleet.catalog.prices import Priced
from gpufleet.catalog.retail.errors import RefreshError
from gpufleet.catalog.retail.write import write

H100 = "Standard_ND96isr_H100_v5"
DAY = date(2026, 6, 19)


def row(usd: str = "97.5", region: str = "eastus") -> dict[str, str]:
    known = {"on_demand_as_of": "2026-06-19", "on_demand_source": "RETAIL", "on_demand_confidence": "high"}
    return dict.fromkeys(prices.COLUMNS, "") | known | {"sku": H100, "region": region, "on_demand_usd_per_hour": usd}


def test_a_new_list_is_used_at_once(own_prices: Path) -> None:
    assert prices.day() == date(2026, 6, 18)
    file = write([row()], DAY)
    assert file == own_prices / "prices-2026-06-19.csv"
    assert snapshots.current().path == file
    price = prices.regular(H100, "eastus")
    assert price == Priced(usd_per_hour=Decimal("97.5"), as_of="2026-06-19", source="RETAIL", confidence="high")
    assert [path.name for path in own_prices.iterdir()] == [file.name]
    umask = os.umask(0)
    os.umask(umask)
    assert file.stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_folder_is_made(own_prices: Path) -> None:
    own_prices.rmdir()
    assert write([row()], DAY).exists()


def test_a_second_one_of_the_day_replaces_the_first(own_prices: Path) -> None:
    write([row("97.5")], DAY)
    write([row("96")], DAY)
    price = prices.regular(H100, "eastus")
    assert isinstance(price, Priced)
    assert price.usd_per_hour == 96


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        ([row("cheap")], "on_demand_usd_per_hour is 'cheap', not a price"),
        ([row(), row()], f"{H100} in eastus stands twice"),
        ([row() | {"on_demand_as_of": "2026-07-01"}], "on_demand_as_of is 2026-07-01, after 2026-06-19"),
    ],
)
def test_a_list_that_cannot_be_read_back_is_not_put_in_place(
    rows: list[dict[str, str]], cause: str, own_prices: Path
) -> None:
    write([row("97.5")], DAY)
    with pytest.raises(CatalogError, match=cause):
        write(rows, DAY)
    assert [path.name for path in own_prices.iterdir()] == ["prices-2026-06-19.csv"]
    assert isinstance(price := prices.regular(H100, "eastus"), Priced)
    assert price.usd_per_hour == Decimal("97.5")


def test_one_that_breaks_off_leaves_the_old(own_prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write([row("97.5")], DAY)

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        write([row("1")], DAY)
    assert [path.name for path in own_prices.iterdir()] == ["prices-2026-06-19.csv"]
    assert "97.5" in (own_prices / "prices-2026-06-19.csv").read_text()


def test_what_a_killed_one_leaves_is_no_price_list(own_prices: Path) -> None:
    (own_prices / ".prices-abc.part").write_text("sku,reg")
    assert snapshots.current().shipped
    assert prices.day() == date(2026, 6, 18)


def test_a_folder_that_cannot_be_made(own_prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = own_prices / "file"
    file.write_text("")
    monkeypatch.setenv("GPUFLEET_PRICES", str(file))
    with pytest.raises(RefreshError, match=r"cannot write .*/file/prices-2026-06-19.csv: "):
        write([row()], DAY)

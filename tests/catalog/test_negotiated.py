from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gpufleet.catalog import CatalogError, prices, services, snapshots
from gpufleet.catalog.prices import Priced, PriceKind, Unpriced
from gpufleet.catalog.services import Period, ServicePrice

H100 = "Standard_ND96isr_H100_v5"
SPAN = "validFrom: 2026-01-01, validUntil: 2026-12-31"


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "today", lambda: date(2026, 11, 21))


def agree(folder: Path, *entries: str) -> Path:
    file = folder / "negotiated.yaml"
    file.write_text("prices:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    prices.forget()
    return file


def usd(region: str = "eastus", size: str = H100, *, spot: bool = False) -> Decimal | None:
    found = prices.price(size, region, spot=spot)
    return found.usd_per_hour if isinstance(found, Priced) else None


def test_a_price_of_ones_own_keeps_the_list_price_beside_it(own_prices: Path) -> None:
    file = agree(own_prices, f"size: {H100}, regions: [eastus], usd: 78.5, reason: EA 4711, {SPAN}")
    assert prices.regular(H100, "eastus") == Priced(
        usd_per_hour=Decimal("78.5"),
        as_of="2026-01-01",
        source=f"{file}:2",
        confidence="high",
        kind=PriceKind.NEGOTIATED,
        list_usd_per_hour=Decimal("98.32"),
        reason="EA 4711",
    )
    listed = prices.regular(H100, "uksouth")
    assert isinstance(listed, Priced)
    assert (listed.usd_per_hour, listed.kind) == (Decimal("122.9"), PriceKind.LIST)


def test_a_discount_is_exact(own_prices: Path) -> None:
    agree(own_prices, f"family: standardndsh100V5family, discountPercent: 12.5, reason: EA 4711, {SPAN}")
    found = prices.regular(H100, "eastus")
    assert isinstance(found, Priced)
    assert (found.usd_per_hour, found.list_usd_per_hour) == (Decimal("86.03"), Decimal("98.32"))
    assert (found.kind, found.as_of) == (PriceKind.NEGOTIATED, "2026-06-18")
    assert usd(size="Standard_NC40ads_H100_v5") == Decimal("6.98")


def test_spot_is_not_regular(own_prices: Path) -> None:
    agree(own_prices, f"size: {H100}, usd: 78.5, reason: EA 4711, {SPAN}")
    assert usd(spot=True) is None
    agree(own_prices, f"size: {H100}, usd: 20, priority: spot, reason: EA 4711, {SPAN}")
    assert (usd(), usd(spot=True)) == (Decimal("98.32"), Decimal(20))


def test_a_price_for_what_has_none(own_prices: Path) -> None:
    agree(own_prices, f"size: {H100}, usd: 70, reason: EA 4711, {SPAN}")
    found = prices.regular(H100, "francecentral")
    assert isinstance(found, Priced)
    assert (found.usd_per_hour, found.list_usd_per_hour) == (Decimal(70), None)


def test_a_discount_on_nothing_is_nothing(own_prices: Path) -> None:
    file = agree(own_prices, f"size: {H100}, priority: spot, discountPercent: 10, reason: EA 4711, {SPAN}")
    assert prices.spot(H100, "eastus") == Unpriced(
        f"no source gives a spot price for {H100} in eastus, so the discount of {file}:2 has nothing to be taken off"
    )


def test_the_more_exact_wins(own_prices: Path) -> None:
    agree(
        own_prices,
        f"family: standardNDSH100v5Family, regions: [eastus], discountPercent: 1, reason: family here, {SPAN}",
        f"size: {H100}, discountPercent: 50, reason: size everywhere, {SPAN}",
        f"size: {H100}, regions: [uksouth], usd: 60, reason: size here, {SPAN}",
        f"family: standardNDSH100v5Family, discountPercent: 2, reason: family everywhere, {SPAN}",
    )
    assert (usd("eastus"), usd("uksouth")) == (Decimal("49.16"), Decimal(60))
    assert usd("eastus", "Standard_ND96isrf_H100_v5") == Decimal("98.32") * 99 / 100
    assert usd("westus2", "Standard_ND96is_H100_v5") == Decimal("88.488") * 98 / 100


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2025-12-31", "98.32"), ("2026-01-01", "78.5"), ("2026-12-31", "78.5"), ("2027-01-01", "98.32")],
)
def test_it_holds_from_its_first_day_to_its_last(
    day: str, expected: str, own_prices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(own_prices, f"size: {H100}, usd: 78.5, reason: EA 4711, {SPAN}")
    snapshots.current()  # a list of 2026 is from the future for the first of these days
    monkeypatch.setattr(snapshots, "today", lambda: date.fromisoformat(day))
    assert usd() == Decimal(expected)


def test_a_meter(own_prices: Path) -> None:
    agree(own_prices, f"service: Log Analytics, meter: Archive, usd: 0.01, reason: EA 4711, {SPAN}")
    found = services.price("Log Analytics", "Archive", "eastus")
    assert isinstance(found, ServicePrice)
    assert (found.usd, found.list_usd, found.kind, found.known_for) == (
        Decimal("0.01"),
        None,
        PriceKind.NEGOTIATED,
        "*",
    )
    here = services.price("Log Analytics", "Archive", "westeurope")
    assert isinstance(here, ServicePrice)
    assert here.list_usd == Decimal("0.026")


def test_a_meter_that_no_source_prices(own_prices: Path) -> None:
    agree(own_prices, f"service: Managed Lustre, meter: AMLFS-Durable-Premium-250, usd: 210, reason: EA 4711, {SPAN}")
    found = services.price("Managed Lustre", "AMLFS-Durable-Premium-250", "eastus")
    assert isinstance(found, ServicePrice)
    assert (found.usd, found.unit, found.period) == (Decimal(210), "TiB", Period.MONTH)
    assert found.cost(Decimal(8)) == Decimal(1680)


def test_a_whole_service_with_its_tiers(own_prices: Path) -> None:
    agree(own_prices, f"service: Blob Storage, discountPercent: 10, reason: EA 4711, {SPAN}")
    found = services.price("Blob Storage", "Hot LRS capacity", "westus")
    assert isinstance(found, ServicePrice)
    assert [tier.usd for tier in found.tiers] == [Decimal("0.01872"), Decimal("0.0179712"), Decimal("0.0172224")]
    assert isinstance(services.price("Blob Storage", "Hot LRS capacity", "eastus"), Unpriced)


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (f"usd: 1, reason: abc, {SPAN}", "0: give exactly one of size, family and service"),
        (f"size: {H100}, family: x, usd: 1, reason: abc, {SPAN}", "0: give exactly one of size, family and service"),
        (f"size: {H100}, reason: abc, {SPAN}", "0: give either usd or discountPercent"),
        (f"size: {H100}, usd: 1, discountPercent: 1, reason: abc, {SPAN}", "0: give either usd or discountPercent"),
        (f"size: {H100}, meter: x, usd: 1, reason: abc, {SPAN}", "0: a meter needs its service"),
        (
            f"family: standardNDSH100v5Family, usd: 1, reason: abc, {SPAN}",
            "0: a price in usd is for one size or one meter",
        ),
        (f"size: {H100}, usd: 0, reason: abc, {SPAN}", "0.usd: Input should be greater than 0"),
        (f"size: {H100}, usd: -5, reason: abc, {SPAN}", "0.usd: Input should be greater than 0"),
        (f"size: {H100}, usd: true, reason: abc, {SPAN}", "0.usd: "),
        (f"size: {H100}, usd: .nan, reason: abc, {SPAN}", "0.usd: Input should be a finite number"),
        (
            f"size: {H100}, discountPercent: 100, reason: abc, {SPAN}",
            "0.discountPercent: Input should be less than 100",
        ),
        (f"size: {H100}, usd: 1, {SPAN}", "0.reason: Field required"),
        (f"size: {H100}, usd: 1, reason: '', {SPAN}", "0.reason: String should have at least 3 characters"),
        (f"size: {H100}, usd: 1, reason: abc, priority: Spot, {SPAN}", "0.priority: String should match pattern"),
        (f"size: {H100}, usd: 1, reason: abc, colour: red, {SPAN}", "0.colour: Extra inputs are not permitted"),
        (
            f"size: {H100}, usd: 1, reason: abc, validFrom: 2026-02-01, validUntil: 2026-01-01",
            "0: validUntil 2026-01-01 is before validFrom 2026-02-01",
        ),
        (f"size: {H100}, usd: 1, reason: abc, validFrom: soon, validUntil: 2026-01-01", "0.validFrom: Input should be"),
        (
            f"size: Standard_ND96isr_H100_v6, usd: 1, reason: abc, {SPAN}",
            f"no VM size 'Standard_ND96isr_H100_v6' in the catalogue; the nearest is {H100}",
        ),
        (
            f"family: standardNDSH100Family, discountPercent: 1, reason: abc, {SPAN}",
            "no quota family 'standardNDSH100Family' in the catalogue; the nearest is standardNDSH100v5Family",
        ),
        (
            f"size: {H100}, regions: [eastsu], usd: 1, reason: abc, {SPAN}",
            "no region 'eastsu' in the catalogue; the nearest is eastus",
        ),
        (
            f"service: Log Analytic, discountPercent: 1, reason: abc, {SPAN}",
            "no service 'Log Analytic' in the price list; the nearest is Log Analytics",
        ),
        (
            f"service: Log Analytics, meter: Archiv, usd: 1, reason: abc, {SPAN}",
            "Log Analytics has no meter 'Archiv' in the price list; the nearest is Archive",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(entry: str, cause: str, own_prices: Path) -> None:
    good = f"size: Standard_D4s_v5, usd: 0.1, reason: EA 4711, {SPAN}"
    file = agree(own_prices, entry, good)
    with pytest.raises(CatalogError) as caught:
        usd()
    assert caught.value.message.startswith(f"{file}:2: {cause}")
    assert caught.value.hint == "docs/guides/prices.md has an example."


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", ":1: Input should be a valid dictionary"),
        ("prices: 1\n", ":1: Input should be a valid tuple"),
        ("prices: [}\n", ":1: "),
        ("price: []\n", ":1: "),
        ("prices: []\nprices: []\n", ":2: "),
        ("a: [1\nb: 2\n", ":"),
    ],
)
def test_a_file_that_is_none(text: str, cause: str, own_prices: Path) -> None:
    file = own_prices / "negotiated.yaml"
    file.write_text(text)
    prices.forget()
    with pytest.raises(CatalogError) as caught:
        usd()
    assert caught.value.message.startswith(f"{file}{cause}")


def test_a_file_that_is_no_text(own_prices: Path) -> None:
    (own_prices / "negotiated.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match=r"negotiated.yaml: cannot be read: "):
        usd()


def test_two_that_say_as_much_about_the_same(own_prices: Path) -> None:
    file = agree(
        own_prices,
        f"size: {H100}, regions: [eastus, uksouth], usd: 78, reason: one, {SPAN}",
        f"size: {H100}, regions: [uksouth, westus2], usd: 77, reason: two, {SPAN}",
    )
    with pytest.raises(CatalogError) as caught:
        usd()
    assert caught.value.message == f"{file}:3: says the same as {file}:2 for some of the same days and regions"


def test_two_that_follow_each_other(own_prices: Path) -> None:
    agree(
        own_prices,
        f"size: {H100}, usd: 78, reason: one, validFrom: 2025-01-01, validUntil: 2025-12-31",
        f"size: {H100}, usd: 77, reason: two, {SPAN}",
        f"size: {H100}, usd: 20, priority: spot, reason: two, {SPAN}",
    )
    assert (usd(), usd(spot=True)) == (Decimal(77), Decimal(20))

from __future__ import annotations

from decimal import Decimal

import pytest

from gpufleet.catalog import CatalogError, services, table
from gpufleet.catalog.prices import PriceKind, Unpriced
from gpufleet.catalog.services import Period, ServicePrice, UnknownMeterError


def priced(service: str, meter: str, region: str, *, elsewhere: bool = False) -> ServicePrice:
    found = services.price(service, meter, region, elsewhere=elsewhere)
    assert isinstance(found, ServicePrice), found
    return found


def test_a_price() -> None:
    found = priced("NAT Gateway", "Gateway", "westeurope")
    assert (found.usd, found.unit, found.unit_quantity, found.period) == (Decimal("0.045"), "resource", 1, Period.HOUR)
    assert (found.as_of, found.source, found.confidence, found.kind) == (
        "2024-07-01",
        "INFRA",
        "medium",
        PriceKind.LIST,
    )
    assert (found.known_for, found.elsewhere) == ("westeurope", False)


def test_another_region_has_no_price_unless_that_is_said() -> None:
    assert services.price("NAT Gateway", "Gateway", "japaneast") == Unpriced(
        "NAT Gateway, Gateway: no source has a price for japaneast, only for westeurope"
    )
    assumed = priced("NAT Gateway", "Gateway", "japaneast", elsewhere=True)
    assert (assumed.usd, assumed.elsewhere) == (Decimal("0.045"), True)


def test_of_several_regions_the_dearest_is_assumed() -> None:
    assert services.price("Bandwidth", "Inter-region", "nowhere") == Unpriced(
        "Bandwidth, Inter-region: no source has a price for nowhere, only for continent:south-america"
    )
    assert priced("Bandwidth", "Inter-region", "nowhere", elsewhere=True).usd == Decimal("0.16")


@pytest.mark.parametrize(
    ("region", "usd"),
    [
        ("eastus", "0.02"),
        ("mexicocentral", "0.02"),
        ("uksouth", "0.02"),
        ("japaneast", "0.08"),
        ("brazilsouth", "0.16"),
    ],
)
def test_a_billing_zone_is_a_continent(region: str, usd: str) -> None:
    assert priced("Bandwidth", "Inter-region", region).usd == Decimal(usd)


def test_what_is_free_is_zero_on_purpose() -> None:
    assert priced("AKS", "Control plane Free", "japaneast").usd == 0


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize(
    ("service", "meter"),
    [
        ("AKS", "Control plane Premium (Standard + LTS)"),
        *(("Managed Lustre", f"AMLFS-Durable-Premium-{rate}") for rate in (40, 125, 250, 500)),
        ("Front Door", "Edge to origin"),
        ("Managed Disk", "P30 1 TiB"),
        ("Premium SSD v2", "Capacity"),
    ],
)
def test_what_no_source_prices(service: str, meter: str, elsewhere: bool) -> None:
    found = services.price(service, meter, "eastus", elsewhere=elsewhere)
    assert isinstance(found, Unpriced)
    assert found.reason.startswith(f"{service}, {meter}: no ")


def test_tiers() -> None:
    blob = priced("Blob Storage", "Hot LRS capacity", "westus")
    assert blob.cost(Decimal(0)) == 0
    assert blob.cost(Decimal(51200)) == Decimal("1064.96")
    assert blob.cost(Decimal(51201)) == Decimal("1064.96") + Decimal("0.019968")
    beyond = Decimal("1064.96") + 460800 * Decimal("0.019968") + 100 * Decimal("0.019136")
    assert blob.cost(Decimal(512100)) == beyond


def test_the_first_gigabytes_are_free() -> None:
    egress = priced("Bandwidth", "Internet egress", "eastus")
    assert [egress.cost(Decimal(gb)) for gb in (50, 100, 200)] == [0, 0, Decimal("8.7")]


def test_a_quantity_in_a_tier_without_a_price_has_none() -> None:
    egress = priced("Bandwidth", "Internet egress", "eastus")
    assert egress.cost(Decimal(10340)) == 10240 * Decimal("0.087")
    assert egress.cost(Decimal(10341)) == Unpriced("Bandwidth, Internet egress: above 10 TB no source read has a price")


def test_what_is_sold_by_the_ten_thousand() -> None:
    writes = priced("Blob Storage", "Premium write operations", "westus")
    assert (writes.unit, writes.unit_quantity, writes.period) == ("operation", 10_000, None)
    assert writes.cost(Decimal(25_000)) == Decimal("2.5") * Decimal("0.0228")


def test_periods_in_hours() -> None:
    assert [period.hours for period in Period] == [1, 24, 730]


def test_every_meter_is_a_price_or_a_reason() -> None:
    assert len(services.meters()) == 98
    found = [services.price(service, meter, "eastus", elsewhere=True) for service, meter in services.meters()]
    unpriced = [price.reason for price in found if isinstance(price, Unpriced)]
    assert len(unpriced) == 22
    assert all(len(reason) > 30 for reason in unpriced)


@pytest.mark.parametrize(
    ("service", "meter", "cause"),
    [
        ("Nat gateways", "Gateway", "no service 'Nat gateways' in the price list; the nearest is NAT Gateway"),
        ("NAT Gateway", "Data", "NAT Gateway has no meter 'Data' in the price list; the nearest is Data processed"),
        ("Teapot", "", "no service 'Teapot' in the price list"),
    ],
)
def test_an_unknown_meter(service: str, meter: str, cause: str) -> None:
    with pytest.raises(UnknownMeterError) as caught:
        services.price(service, meter, "eastus")
    assert caught.value.message == cause


HEAD = ",".join(services._COLUMNS)


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["A,m,*,5,1,GB,1,,2026,X,high,"], ":2: the first tier of a meter starts at 0"),
        (["A,m,*,0,1,GB,1,,2026,X,high,", "A,m,*,0,1,GB,1,,2026,X,high,"], ":3: stands twice, or its tiers are not in"),
        (["A,m,*,0,,GB,1,,2026,X,high,"], ":2: confidence is missing exactly where usd is empty"),
        (["A,m,*,0,1,GB,1,,2026,X,missing,"], ":2: confidence is missing exactly where usd is empty"),
        (["A,m,*,0,1,GB,1,,,X,high,"], ":2: as_of is empty"),
        (["A,m,*,0,cheap,GB,1,,2026,X,high,"], ":2: usd is 'cheap', not a price"),
        (["A,m,*,0,1,GB,0,,2026,X,high,"], ":2: unit_quantity is 0, and something is sold by it"),
        (["A,m,*,0,1,GB,1,year,2026,X,high,"], ":2: period is 'year', not one of hour, day, month"),
    ],
)
def test_a_damaged_table(lines: list[str], cause: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join([HEAD, *lines]) + "\n"
    monkeypatch.setattr(services, "read", lambda file, columns: table.parse(file, text, columns))
    services._meters.cache_clear()
    try:
        with pytest.raises(CatalogError) as caught:
            services.price("A", "m", "eastus")
    finally:
        monkeypatch.undo()
        services._meters.cache_clear()
    assert caught.value.message.startswith(f"services.csv{cause}")

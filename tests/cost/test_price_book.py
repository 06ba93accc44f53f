from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gpufleet.catalog.services import Period
from gpufleet.cost.charge import Meter, ServiceMeter, VmMeter
from gpufleet.cost.money import HOURS_PER_MONTH, HOURS_PER_PERIOD
from gpufleet.cost.price_book import PriceBook
from gpufleet.cost.rates import NoRate, PriceKind, Rate
from gpufleet.spec.assumed_prices import AssumedPrice
from gpufleet.spec.base import Priority
from tests.cost.samples import H100, book

_LUSTRE = ServiceMeter("Managed Lustre", "AMLFS-Durable-Premium-250")
_HOT = ServiceMeter("Blob Storage", "Hot LRS capacity")
_PLANNED = {
    "service": "Managed Lustre",
    "meter": "AMLFS-Durable-Premium-250",
    "usd": 150.25,
    "unit": "TiB-month",
    "reason": "a quotation of October",
}


def _rate(found: PriceBook, meter: Meter, region: str = "eastus", most: str = "1") -> Rate:
    rate = found.rate(meter, region, Decimal(most))
    assert isinstance(rate, Rate), rate
    return rate


def _none(found: PriceBook, meter: Meter, region: str = "eastus", most: str = "1") -> NoRate:
    rate = found.rate(meter, region, Decimal(most))
    assert isinstance(rate, NoRate), rate
    return rate


def test_a_list_price_of_the_region() -> None:
    rate = _rate(book(), ServiceMeter("AKS", "Control plane Standard (uptime SLA)"))
    assert (rate.kind, rate.usd, rate.unit) == (PriceKind.LIST, Decimal("0.10"), "cluster-hour")


def test_another_regions_list_price_is_assumed_and_says_whose_it_is() -> None:
    rate = _rate(book(), ServiceMeter("NAT Gateway", "Gateway"), "japaneast")
    assert (rate.kind, rate.usd) == (PriceKind.ASSUMED, Decimal("0.045"))
    assert rate.note == "list price of westeurope, none known here"
    assert _rate(book(), ServiceMeter("NAT Gateway", "Gateway"), "westeurope").kind is PriceKind.LIST


def test_a_planning_price_goes_before_another_regions_list_price_and_after_the_regions_own() -> None:
    planned = {"service": "NAT Gateway", "meter": "Gateway", "usd": 0.05, "unit": "hour", "reason": "what we pay there"}
    prices = book(planned)
    assert _rate(prices, ServiceMeter("NAT Gateway", "Gateway"), "westeurope").kind is PriceKind.LIST
    assert len(prices.unused()) == 1
    rate = _rate(prices, ServiceMeter("NAT Gateway", "Gateway"), "japaneast")
    assert (rate.kind, rate.usd, rate.note) == (PriceKind.ASSUMED, Decimal("0.05"), "what we pay there")
    assert prices.unused() == ()


def test_no_price_at_all_says_how_to_plan_one() -> None:
    missing = _none(book(), _LUSTRE)
    assert missing.reason == "no source read has a price"
    assert missing.fix == (
        "Give a planning price: prices: {assumed: [{service: Managed Lustre, "
        'meter: "AMLFS-Durable-Premium-250", unit: TiB-month, usd: …, reason: …}]}'
    )


def test_a_planning_price_of_a_service() -> None:
    rate = _rate(book(_PLANNED), _LUSTRE, most="48")
    assert (rate.kind, rate.unit, rate.as_of, rate.price.source) == (
        PriceKind.ASSUMED,
        "TiB-month",
        "",
        "the stack file",
    )
    assert rate.amount(Decimal(48), HOURS_PER_MONTH) == Decimal("7212.00")


def test_a_planning_price_in_another_unit_is_no_price() -> None:
    # The specification refuses it; whoever builds one by hand gets no wrong amount either.
    unchecked = AssumedPrice.model_validate({**_PLANNED, "unit": "GB-month"})
    assert _none(PriceBook(assumed=[unchecked]), _LUSTRE).reason == "no source read has a price"


def test_a_planning_price_that_names_the_region_goes_first() -> None:
    prices = book({**_PLANNED, "regions": ["westus2"], "usd": 1}, _PLANNED | {"regions": ["eastus"], "usd": 2})
    assert _rate(prices, _LUSTRE, "eastus").usd == 2
    assert _rate(prices, _LUSTRE, "westus2").usd == 1
    assert _none(prices, _LUSTRE, "japaneast").reason == "no source read has a price"


def test_an_unknown_meter_is_no_price_and_names_the_nearest() -> None:
    missing = _none(book(), ServiceMeter("NAT Gateway", "Gatewya"))
    assert missing.reason == "NAT Gateway has no meter 'Gatewya' in the price list; the nearest is Gateway"


def test_an_unknown_size_is_no_price() -> None:
    missing = _none(book(), VmMeter("Standard_ND96isr_H900_v5", Priority.REGULAR))
    assert missing.reason == "the price list has no meter for Standard_ND96isr_H900_v5 in eastus"


def test_regular_and_spot_planning_prices_are_different_things() -> None:
    prices = book({"sku": H100, "priority": "spot", "usd": 40, "unit": "hour", "reason": "a quotation"})
    assert _rate(prices, VmMeter(H100, Priority.SPOT)).usd == 40
    assert _rate(prices, VmMeter(H100, Priority.REGULAR)).usd == Decimal("98.32")


def test_graduated_prices_add_up_tier_by_tier() -> None:
    rate = _rate(book(), _HOT, "westus", "600000")
    # 51,200 GB at 0.0208, 460,800 at 0.019968, 88,000 at 0.019136.
    assert rate.amount(Decimal(600000), HOURS_PER_MONTH) == Decimal("11950.1824")
    assert rate.amount(Decimal(51200), HOURS_PER_MONTH) == Decimal("1064.96")


def test_a_quantity_beyond_the_last_known_tier_has_no_price() -> None:
    meter = ServiceMeter("Front Door", "Edge to client, zone 1")
    assert _rate(book(), meter, most="10240").amount(Decimal(10240), HOURS_PER_MONTH) == Decimal("849.92")
    assert _none(book(), meter, most="10241").reason == "above 10 TB no source read has a price"


@pytest.mark.parametrize(
    ("meter", "month", "longest"),
    [
        (VmMeter(H100, Priority.REGULAR), "71773.60", "73150.08"),
        (ServiceMeter("Container Registry", "Premium registry"), "50.695458", "51.667700"),
        (ServiceMeter("Front Door", "Standard base fee"), "35", "35"),
        (ServiceMeter("NAT Gateway", "Data processed"), "0.045", "0.045"),
    ],
)
def test_what_is_sold_by_the_hour_or_day_costs_more_in_a_longer_month(meter: Meter, month: str, longest: str) -> None:
    rate = _rate(book(), meter)
    one = Decimal(1)
    assert round(rate.amount(one, HOURS_PER_MONTH), 6) == Decimal(month)
    assert round(rate.amount(one, HOURS_PER_PERIOD), 6) == Decimal(longest)


def test_operations_are_sold_by_ten_thousand() -> None:
    rate = _rate(book(), ServiceMeter("Front Door", "Standard requests zone 1"), most="1000000")
    assert (rate.unit, rate.price.period) == ("10,000 operations", None)
    assert rate.amount(Decimal(1_000_000), HOURS_PER_MONTH) == Decimal("0.9")
    assert Period.MONTH.hours == HOURS_PER_MONTH


def test_a_negotiated_price_goes_first_and_keeps_the_list_price_beside_it(own_prices: Path) -> None:
    valid = "validFrom: 2026-01-01, validUntil: 2099-01-01"
    (own_prices / "negotiated.yaml").write_text(
        "prices:\n"
        f"  - {{size: {H100}, regions: [eastus], usd: 78.50, reason: agreement 4711, {valid}}}\n"
        f"  - {{service: NAT Gateway, meter: Gateway, usd: 0.04, reason: agreement 4712, {valid}}}\n"
    )
    node = _rate(book(), VmMeter(H100, Priority.REGULAR))
    assert (node.kind, node.usd, node.list_usd, node.note) == (
        PriceKind.NEGOTIATED,
        Decimal("78.50"),
        Decimal("98.32"),
        "agreement 4711",
    )
    gateway = _rate(book(), ServiceMeter("NAT Gateway", "Gateway"), "westeurope")
    assert (gateway.kind, gateway.usd, gateway.list_usd) == (PriceKind.NEGOTIATED, Decimal("0.04"), Decimal("0.045"))
    assert _rate(book(), VmMeter(H100, Priority.REGULAR), "westus2").kind is PriceKind.LIST

from __future__ import annotations

from decimal import Decimal

from gpufleet.catalog import prices, regions
from gpufleet.catalog.prices import Priced, Unpriced

H100 = "Standard_ND96isr_H100_v5"


def test_a_list_price() -> None:
    assert prices.regular(H100, "eastus") == Priced(
        usd_per_hour=Decimal("98.32"), as_of="2026-06-18", source="KARP", confidence="high"
    )


def test_a_spot_price_has_its_own_date() -> None:
    assert prices.spot("Standard_NC4as_T4_v3", "eastus") == Priced(
        usd_per_hour=Decimal("0.062699"), as_of="2024 to 2025", source="SKY", confidence="low"
    )


def test_no_price_says_why() -> None:
    assert prices.spot(H100, "eastus") == Unpriced(
        "no source gives a spot price for Standard_ND96isr_H100_v5 in eastus"
    )
    assert prices.regular(H100, "francecentral") == Unpriced(
        "the price list has no meter for Standard_ND96isr_H100_v5 in francecentral"
    )
    assert prices.regular(H100, "belgiumcentral") == Unpriced("the price list has no meters at all for belgiumcentral")
    assert prices.spot(H100, "belgiumcentral") == Unpriced("the price list has no meters at all for belgiumcentral")


def test_regions_of_a_size_come_cheapest_first() -> None:
    assert prices.regions(H100)[:5] == ("eastus", "eastus2", "westus2", "westus3", "southcentralus")
    assert len(prices.regions(H100)) == 23
    assert prices.regions("Standard_ND128isr_GB300_v6") == ()


def test_offers() -> None:
    assert regions.offers(H100, "eastus")
    assert not regions.offers(H100, "francecentral")

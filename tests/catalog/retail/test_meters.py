"""Each trap that somebody fell into, served as the API serves it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gpufleet.catalog.retail.client import RetailPrices
from gpufleet.catalog.retail.errors import RefreshError
from gpufleet.catalog.retail.meters import Meters, Skipped, choose
from tests.catalog.price_api import PriceApi, item, serving

H100 = "Standard_ND96isr_H100_v5"
T4 = "Standard_NC8as_T4_v3"
Served = Callable[..., Meters]
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[PriceApi, RetailPrices]]:
    """One server and one client for the module: a client reads all root certificates."""
    with serving() as api, RetailPrices(api.address, wait=lambda seconds: None) as source:
        yield api, source


@pytest.fixture
def served(shared: tuple[PriceApi, RetailPrices]) -> Served:
    """What comes of items that the API serves."""
    api, source = shared

    def _served(*items: dict[str, object]) -> Meters:
        api.items = list(items)
        found = source.virtual_machines([H100, T4], [], lambda page, items: None)
        return choose(found, sizes=[H100, T4], regions=["eastus", "uksouth"], now=NOW)

    return _served


def parsed(**changed: object) -> dict[str, object]:
    """An item as the client reads it."""
    found: dict[str, object] = json.loads(json.dumps(item(**changed)), parse_float=Decimal)
    return found


def taken(meters: Meters) -> dict[tuple[str, str, bool], str]:
    return {key: str(usd) for key, usd in meters.usd.items()}


def test_a_price_to_the_cent(served: Served):
    assert taken(served(item())) == {(H100, "eastus", False): "98.32"}


def test_a_meter_that_is_missing_is_no_price(served: Served):
    found = served(item())
    assert (H100, "uksouth", False) not in found.usd
    assert (H100, "eastus", True) not in found.usd


def test_spot_low_priority_and_regular_are_told_apart_by_their_suffix(served: Served):
    found = served(
        item(armSkuName=T4, skuName="NC8as T4 v3", meterName="NC8as T4 v3", retailPrice=0.752),
        item(armSkuName=T4, skuName="NC8as T4 v3 Spot", meterName="NC8as T4 v3 Spot", retailPrice=0.0896),
        item(armSkuName=T4, skuName="NC8as T4 v3 Low Priority", meterName="NC8as T4 v3 Low Priority", retailPrice=0.15),
    )
    assert taken(found) == {(T4, "eastus", False): "0.752", (T4, "eastus", True): "0.0896"}
    assert found.skipped == {Skipped.LOW_PRIORITY: 1}


@pytest.mark.parametrize("field", ["skuName", "meterName"])
def test_spot_in_either_name_is_spot(field: str, served: Served):
    assert taken(served(item(**{field: "ND96isr H100 v5 Spot"}))) == {(H100, "eastus", True): "98.32"}


def test_a_reservation_is_a_total_for_the_term(served: Served):
    found = served(
        item(),
        item(type="Reservation", reservationTerm="1 Year", retailPrice=551_000.0),
        item(reservationTerm="3 Years", retailPrice=1_200_000.0),
    )
    assert taken(found) == {(H100, "eastus", False): "98.32"}
    assert found.skipped == {Skipped.RESERVATION: 2}


def test_a_savings_plan_inside_an_item_is_not_its_price(served: Served):
    plan = [{"unitPrice": 67.8, "retailPrice": 67.8, "term": "3 Years"}]
    assert taken(served(item(savingsPlan=plan))) == {(H100, "eastus", False): "98.32"}


@pytest.mark.parametrize(
    "changed",
    [
        {"productName": "Virtual Machines NDsrH100v5 Series Windows"},
        {"productName": "Virtual Machines Windows NDsrH100v5 Series"},
        {"productName": "virtual machines ndsrh100v5 series WINDOWS server"},
        {"meterName": "ND96isr H100 v5 Windows"},
    ],
)
def test_windows_anywhere_in_the_name(changed: dict[str, str], served: Served):
    found = served(item(**changed, retailPrice=102.736))
    assert taken(found) == {}
    assert found.skipped == {Skipped.WINDOWS: 1}


@pytest.mark.parametrize(
    "changed", [{"type": "DevTestConsumption"}, {"productName": "Virtual Machines NDsrH100v5 Series - Dev/Test"}]
)
def test_dev_test(changed: dict[str, str], served: Served):
    assert served(item(**changed)).skipped == {Skipped.DEV_TEST: 1}


@pytest.mark.parametrize(
    "spelling", ["Standard_NC8as T4 v3", "standard_nc8as_t4_v3", "NC8as_T4_v3", " Standard_NC8as_T4_v3"]
)
def test_a_size_by_any_spelling(spelling: str):
    found = choose([parsed(armSkuName=spelling, retailPrice=0.752)], sizes=[T4], regions=["eastus"], now=NOW)
    assert taken(found) == {(T4, "eastus", False): "0.752"}


def test_a_spelling_that_the_api_serves(served: Served):
    assert taken(served(item(armSkuName="Standard_NC8as T4 v3", retailPrice=0.752))) == {(T4, "eastus", False): "0.752"}


def test_an_item_without_a_region_is_of_no_region(served: Served):
    found = served(item(armRegionName=""), item(armRegionName="atlantis"))
    assert taken(found) == {}
    assert found.skipped == {Skipped.NO_REGION: 1, Skipped.OTHER_REGION: 1}


def test_zero_dollars_is_a_gap(served: Served):
    found = served(item(retailPrice=0.0), item(armRegionName="uksouth", retailPrice=0))
    assert taken(found) == {}
    assert found.zero == {(H100, "eastus", False), (H100, "uksouth", False)}
    assert found.skipped == {Skipped.ZERO: 2}


def test_zero_beside_a_price(served: Served):
    found = served(item(retailPrice=0.0), item())
    assert (taken(found), found.zero) == ({(H100, "eastus", False): "98.32"}, frozenset())


def test_a_price_of_tomorrow_is_not_todays(served: Served):
    found = served(item(), item(effectiveStartDate="2026-12-01T00:00:00Z", retailPrice=80.0))
    assert taken(found) == {(H100, "eastus", False): "98.32"}
    assert found.skipped == {Skipped.FUTURE: 1}


def test_of_several_days_the_newest_in_force(served: Served):
    found = served(
        item(retailPrice=110.0, effectiveStartDate="2023-08-01T00:00:00Z"),
        item(retailPrice=98.32, effectiveStartDate="2025-05-01T00:00:00Z"),
        item(retailPrice=120.0, effectiveStartDate="2022-01-01T00:00:00Z"),
    )
    assert taken(found) == {(H100, "eastus", False): "98.32"}
    assert found.skipped == {Skipped.SUPERSEDED: 2}


def test_the_same_price_twice_is_one(served: Served):
    assert taken(served(item(), item(meterId="other"))) == {(H100, "eastus", False): "98.32"}


def test_two_prices_of_one_day_are_not_guessed_between(served: Served):
    found = served(item(), item(retailPrice=102.736))
    assert taken(found) == {}
    assert found.ambiguous == {(H100, "eastus", False): (Decimal("98.32"), Decimal("102.736"))}


def test_only_the_first_tier_is_the_price(served: Served):
    found = served(item(), item(tierMinimumUnits=1000.0, retailPrice=50.0))
    assert taken(found) == {(H100, "eastus", False): "98.32"}
    assert found.skipped == {Skipped.TIER: 1}


def test_only_the_primary_meter_is_charged(served: Served):
    found = served(item(), item(isPrimaryMeterRegion=False, retailPrice=90.0))
    assert taken(found) == {(H100, "eastus", False): "98.32"}
    assert found.skipped == {Skipped.NOT_PRIMARY: 1}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"unitOfMeasure": "1/Month"}, Skipped.UNIT),
        ({"unitOfMeasure": "100 Hours"}, Skipped.UNIT),
        ({"serviceName": "Cloud Services"}, Skipped.OTHER_SERVICE),
        ({"productName": "NDsrH100v5 Series CloudServices"}, Skipped.OTHER_SERVICE),
        ({"type": "SomethingNew"}, Skipped.OTHER_TYPE),
        ({"meterName": "ND96isr H100 v5 Expired"}, Skipped.EXPIRED),
    ],
)
def test_what_else_is_not_the_price_of_a_node(changed: dict[str, str], reason: Skipped, served: Served):
    found = served(item(**changed))
    assert (taken(found), found.skipped) == ({}, {reason: 1})


def test_a_size_that_was_not_asked_for():
    assert choose([parsed()], sizes=[T4], regions=["eastus"], now=NOW).skipped == {Skipped.OTHER_SIZE: 1}


@pytest.mark.parametrize("currency", ["EUR", "usd", "", None])
def test_another_currency_stops_the_refresh(currency: str | None, served: Served):
    with pytest.raises(RefreshError, match=r"item 2 \(meter 8c1f.*\) can't be used: its currency is"):
        served(item(), item(currencyCode=currency))


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"retailPrice": None}, "retailPrice is None, not an amount"),
        ({"retailPrice": "98.32"}, "retailPrice is '98.32', not an amount"),
        ({"retailPrice": -1}, "retailPrice is -1, not an amount"),
        ({"retailPrice": True}, "retailPrice is True, not an amount"),
        ({"retailPrice": 1e9}, r"retailPrice is Decimal\('1000000000.0'\), not an amount of 0 to 1,000,000"),
        ({"effectiveStartDate": "yesterday"}, "effectiveStartDate is 'yesterday', not a day"),
        ({"effectiveStartDate": None}, "effectiveStartDate is '', not a day"),
        ({"armRegionName": 7}, "armRegionName is 7, not text"),
        ({"tierMinimumUnits": "many"}, "tierMinimumUnits is 'many', not an amount"),
    ],
)
def test_an_item_that_is_not_what_the_api_documents(changed: dict[str, object], cause: str):
    with pytest.raises(RefreshError, match=cause):
        choose([parsed(**changed)], sizes=[H100], regions=["eastus"], now=NOW)


def test_nan_is_not_a_price(served: Served):
    with pytest.raises(RefreshError, match="NaN is not a number"):
        served(item(retailPrice=math.nan))

from __future__ import annotations

import email.utils
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gpufleet.catalog.retail.client import RetailPrices
from gpufleet.catalog.retail.errors import RefreshError
from gpufleet.errors import ConfigurationError
from tests.catalog.price_api import Answer, PriceApi, item

H100 = "Standard_ND96isr_H100_v5"
EMPTY = '{"Items": [], "NextPageLink": null}'


class Patience:
    """Waits without waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def fetch(api: PriceApi, patience: Patience) -> Callable[..., list[dict[str, object]]]:
    def _fetch(*sizes: str, regions: tuple[str, ...] = (), timeout: float = 30) -> list[dict[str, object]]:
        with RetailPrices(api.address, timeout_seconds=timeout, wait=patience) as source:
            return list(source.virtual_machines(sizes or (H100,), regions, lambda page, items: None))

    return _fetch


def test_it_asks_for_consumption_meters_in_usd(api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    api.items = [item(), item(armRegionName="uksouth", retailPrice=122.9), item(armRegionName="westus")]
    found = fetch(H100, "Standard_NC4as_T4_v3", regions=("eastus", "uksouth"))
    assert [(one["armRegionName"], one["retailPrice"]) for one in found] == [
        ("eastus", Decimal("98.32")),
        ("uksouth", Decimal("122.9")),
    ]
    assert api.queries == [
        {
            "api-version": "2023-01-01-preview",
            "currencyCode": "'USD'",
            "$filter": "serviceName eq 'Virtual Machines' and priceType eq 'Consumption'"
            f" and (armSkuName eq '{H100}' or armSkuName eq 'Standard_NC4as_T4_v3')"
            " and (armRegionName eq 'eastus' or armRegionName eq 'uksouth')",
        }
    ]


def test_sizes_are_asked_for_ten_at_a_time(api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    fetch(*(f"Standard_D{number}s_v5" for number in range(21)))
    assert [query["$filter"].count("armSkuName") for query in api.queries] == [10, 10, 1]


def test_pages_are_followed_to_the_end(api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    api.items = [item(meterId=str(number)) for number in range(25)]
    api.page_size = 10
    assert [one["meterId"] for one in fetch()] == [str(number) for number in range(25)]
    assert [query.get("$skip") for query in api.queries] == [None, "10", "20"]


def test_pages_that_go_round_in_circles(api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    body = json.dumps({"Items": [item()], "NextPageLink": f"{api.address}?$skip=1000"})
    api.script = [Answer(body=body)] * 3
    with pytest.raises(RefreshError, match="pages go round in circles: 2 read"):
        fetch()


def test_a_page_at_another_host_is_not_fetched(api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    api.script = [Answer(body='{"Items": [], "NextPageLink": "https://example.com/api/retail/prices?$skip=1000"}')]
    with pytest.raises(RefreshError, match=r"next page is at another host, example\.com"):
        fetch()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_tried_again(
    status: int, api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.items = [item()]
    api.script = [Answer(status=status, body="{}"), Answer(status=status, body="{}")]
    assert len(fetch()) == 1
    assert patience.seconds == [1, 2]


def test_retry_after_in_seconds_is_kept(
    api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.script = [Answer(status=429, body="{}", headers={"Retry-After": "17"})]
    assert fetch() == []
    assert patience.seconds == [17]


def test_retry_after_as_a_day_is_kept(api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience):
    until = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    api.script = [Answer(status=503, body="{}", headers={"Retry-After": until})]
    assert fetch() == []
    assert 1 < patience.seconds[0] <= 90


@pytest.mark.parametrize("text", ["soon", "", "-5", "Wed, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing(
    text: str, api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.script = [Answer(status=503, body="{}", headers={"Retry-After": text})]
    assert fetch() == []
    assert patience.seconds == [1]


def test_who_asks_for_an_hour_is_told_so(
    api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.script = [Answer(status=429, body="{}", headers={"Retry-After": "3600"})]
    with pytest.raises(RefreshError, match=r"the price API asks to wait 3600 s \(HTTP 429\)"):
        fetch()
    assert patience.seconds == []


def test_a_failure_that_stays(api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience):
    api.script = [Answer(status=500, body="{}")] * 5
    with pytest.raises(RefreshError, match=r"at 127.0.0.1 didn't answer in 5 tries, the last time: HTTP 500"):
        fetch()
    assert patience.seconds == [1, 2, 4, 8]


def test_an_answer_that_never_comes(api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    api.script = [Answer(silent=True)] * 5
    with pytest.raises(RefreshError, match=r"didn't answer in 5 tries, the last time: ReadTimeout"):
        fetch(timeout=0.05)


def test_an_answer_that_breaks_off_is_fetched_again(
    api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.items = [item()]
    api.script = [Answer(body='{"Items": [{"retail', cut_off=True)]
    assert len(fetch()) == 1
    assert patience.seconds == [1]


def test_an_answer_that_cannot_be_unpacked_is_fetched_again(
    api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.script = [Answer(body="plain", headers={"Content-Encoding": "gzip"})]
    assert fetch() == []
    assert patience.seconds == [1]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('{"Items": [{"retailPrice": 98.', "broken JSON: Expecting"),
        ('{"Items": [{"retailPrice": NaN}]}', "broken JSON: NaN is not a number"),
        ("[]", "broken JSON: not an object"),
        ("[" * 100_000, "broken JSON: maximum recursion depth"),
    ],
)
def test_broken_json(body: str, cause: str, api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    api.script = [Answer(body=body)] * 5
    with pytest.raises(RefreshError, match=cause):
        fetch()


@pytest.mark.parametrize("body", ["{}", '{"Items": null}', '{"Items": {}}', '{"Items": [1]}'])
def test_json_of_something_else(body: str, api: PriceApi, fetch: Callable[..., list[dict[str, object]]]):
    api.script = [Answer(body=body)]
    with pytest.raises(RefreshError, match="answered JSON without a list of Items: not the Azure Retail Prices API"):
        fetch()


def test_a_sign_in_page_is_not_a_price_list(
    api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience
):
    api.script = [Answer(body="<html>Sign in</html>", headers={"Content-Type": "text/html"})]
    with pytest.raises(RefreshError, match="answered text/html, not JSON: '<html>Sign in</html>'") as caught:
        fetch()
    assert caught.value.hint.startswith("Is there a proxy")
    assert patience.seconds == []


def test_a_refusal_is_not_tried_again(api: PriceApi, fetch: Callable[..., list[dict[str, object]]], patience: Patience):
    api.script = [Answer(status=400, body='{"Error": "Invalid OData"}')]
    with pytest.raises(RefreshError, match=r"refused .*: HTTP 400: .*Invalid OData"):
        fetch()
    assert patience.seconds == []


def test_nobody_there(patience: Patience):
    with (
        RetailPrices("http://127.0.0.1:1/api", wait=patience) as source,
        pytest.raises(RefreshError, match="didn't answer in 5 tries, the last time: ConnectError"),
    ):
        list(source.virtual_machines([H100], [], lambda page, items: None))


@pytest.mark.parametrize(
    "address", ["prices.azure.com", "ftp://prices.azure.com", "http://", "http://[::1", "file:///x"]
)
def test_an_address_that_is_none(address: str):
    with pytest.raises(ConfigurationError, match="is not"):
        RetailPrices(address)

"""Pages of the Azure Retail Prices API: public, no login, 1,000 items a page (its REST API reference)."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Self

import httpx

from gpufleet.catalog.retail.errors import RefreshError
from gpufleet.errors import ConfigurationError

API = "https://prices.azure.com/api/retail/prices"
VERSION = "2023-01-01-preview"
"""Values in filters are case-sensitive since this version."""

Item = dict[str, object]

_TRIES = 5
_PATIENCE_SECONDS = 120
"""The longest single wait that a Retry-After may ask for."""
_MOST_PAGES = 500
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_SIZES_PER_QUERY = 10
"""Some 60 characters each in a URL of which servers take 8 KB."""


class RetailPrices:
    """The API at one address. Use as a context manager.

    Args:
        address: URL of the API.
        timeout_seconds: for connecting, and for each pause in an answer.
        wait: how to wait between tries, in seconds.

    Raises:
        ConfigurationError: the address is none.
    """

    def __init__(
        self, address: str = API, *, timeout_seconds: float = 30, wait: Callable[[float], None] = time.sleep
    ) -> None:
        try:
            self._address = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise ConfigurationError(f"{address} is not a URL: {error}") from None
        if self._address.scheme not in {"http", "https"} or not self._address.host:
            raise ConfigurationError(f"{address} is not the http(s) URL of a price API")
        self._wait = wait
        self._client = httpx.Client(timeout=timeout_seconds, headers={"Accept": "application/json"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def virtual_machines(
        self, sizes: Sequence[str], regions: Sequence[str], on_page: Callable[[int, int], None]
    ) -> Iterator[Item]:
        """Every consumption meter of these sizes.

        Args:
            sizes: ARM names.
            regions: programmatic names; none means all regions.
            on_page: called with the number of the page and of its items after each.

        Raises:
            RefreshError: the API can't be reached, or its answer is none of this API.
        """
        page = 0
        for start in range(0, len(sizes), _SIZES_PER_QUERY):
            clauses = [
                "serviceName eq 'Virtual Machines' and priceType eq 'Consumption'",
                _any_of("armSkuName", sizes[start : start + _SIZES_PER_QUERY]),
            ]
            if regions:
                clauses.append(_any_of("armRegionName", regions))
            parameters = {"api-version": VERSION, "currencyCode": "'USD'", "$filter": " and ".join(clauses)}
            for items in self._pages(self._address.copy_merge_params(parameters)):
                page += 1
                on_page(page, len(items))
                yield from items

    def _pages(self, url: httpx.URL) -> Iterator[list[Item]]:
        seen: set[str] = set()
        while True:
            if str(url) in seen or len(seen) >= _MOST_PAGES:
                raise RefreshError(f"the price API's pages go round in circles: {len(seen)} read, and again {url}")
            seen.add(str(url))
            body = self._json(url)
            items = body.get("Items")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise RefreshError(f"{url} answered JSON without a list of Items: not the Azure Retail Prices API")
            yield items
            following = body.get("NextPageLink")
            if not following:
                return
            url = self._next(str(following))

    def _next(self, link: str) -> httpx.URL:
        try:
            url = httpx.URL(link)
        except httpx.InvalidURL as error:
            raise RefreshError(f"the price API's next page {link!r} is no URL: {error}") from None
        # The real API writes its port out (`prices.azure.com:443`).
        if (url.scheme, url.host, _port(url)) != (self._address.scheme, self._address.host, _port(self._address)):
            raise RefreshError(f"the price API's next page is at another host, {url.host}")
        return url

    def _json(self, url: httpx.URL) -> Item:
        cause = ""
        for attempt in range(1, _TRIES + 1):
            pause = float(2 ** (attempt - 1))
            try:
                answer = self._client.get(url)
            except httpx.RequestError as error:
                # Time-outs, and answers that break off or can't be unpacked.
                cause = f"{type(error).__name__}: {error}".rstrip(": ")
            else:
                if answer.status_code in _RETRIED:
                    cause = f"HTTP {answer.status_code}"
                    pause = max(pause, _asked_to_wait(answer))
                    if pause > _PATIENCE_SECONDS:
                        raise RefreshError(f"the price API asks to wait {pause:.0f} s (HTTP {answer.status_code})")
                elif answer.status_code != httpx.codes.OK:
                    raise RefreshError(f"the price API refused {url}: HTTP {answer.status_code}: {answer.text[:200]!r}")
                elif "json" not in (kind := answer.headers.get("content-type", "nothing")):
                    raise RefreshError(
                        f"{url} answered {kind}, not JSON: {answer.text[:80]!r}",
                        hint="Is there a proxy or a sign-in page between? The price list in use stays as it is.",
                    )
                else:
                    try:
                        return _parsed(answer.text)
                    except (ValueError, RecursionError) as error:
                        cause = f"broken JSON: {error}"
            if attempt < _TRIES:
                self._wait(pause)
        raise RefreshError(f"the price API at {url.host} didn't answer in {_TRIES} tries, the last time: {cause}")


def _parsed(text: str) -> Item:
    # Decimal: 98.32 must stay 98.32.
    body = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004 - like other broken JSON
    return body


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number")


def _any_of(field: str, values: Sequence[str]) -> str:
    return "(" + " or ".join(f"{field} eq '{value}'" for value in values) + ")"


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _asked_to_wait(answer: httpx.Response) -> float:
    """Seconds that Retry-After asks for: a number or a day (RFC 9110, 10.2.3); 0 without one."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0

"""A price API on a port of this machine: answers like Azure's, pages like it, and fails as told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


def item(**changed: object) -> dict[str, Any]:
    """One meter as the API gives it: ND H100 v5, Linux, pay as you go, eastus."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": 98.32,
        "unitPrice": 98.32,
        "armRegionName": "eastus",
        "location": "US East",
        "effectiveStartDate": "2023-08-01T00:00:00Z",
        "meterId": "8c1f6f9e-0000-0000-0000-000000000000",
        "meterName": "ND96isr H100 v5",
        "productId": "DZH318Z08NT6",
        "skuId": "DZH318Z08NT6/001P",
        "productName": "Virtual Machines NDsrH100v5 Series",
        "skuName": "ND96isr H100 v5",
        "serviceName": "Virtual Machines",
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "Standard_ND96isr_H100_v5",
        **changed,
    }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One scripted answer."""

    status: int = 200
    body: str = '{"Items": [], "NextPageLink": null}'
    headers: dict[str, str] = field(default_factory=dict)
    cut_off: bool = False
    """Promise more than is sent."""
    silent: bool = False
    """Say nothing until the server ends."""


class PriceApi:
    """What the server serves and what it was asked."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.page_size = 1000
        self.script: list[Answer] = []
        """Answers that come before the real ones, in order."""
        self.queries: list[dict[str, str]] = []
        self.over = threading.Event()
        self.address = ""

    def answer(self, path: str) -> Answer:
        """The answer to one request."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        self.queries.append(query)
        if self.script:
            return self.script.pop(0)
        wanted = query.get("$filter", "")
        sizes = {_key(name) for name in re.findall(r"armSkuName eq '([^']*)'", wanted)}
        regions = set(re.findall(r"armRegionName eq '([^']*)'", wanted))
        found = [
            item
            for item in self.items
            if _key(item["armSkuName"]) in sizes and (not regions or item["armRegionName"] in {"", *regions})
        ]
        start = int(query.get("$skip", 0))
        following = None
        if start + self.page_size < len(found):
            following = f"{self.address}?{urlencode({**query, '$skip': start + self.page_size})}"
        page = found[start : start + self.page_size]
        body = {"BillingCurrency": "USD", "Items": page, "NextPageLink": following, "Count": len(page)}
        return Answer(body=json.dumps(body))


def _key(size: str) -> str:
    return size.casefold().replace(" ", "_").removeprefix("standard_")


@contextmanager
def serving() -> Iterator[PriceApi]:
    """A price API until the end of the block."""
    api = PriceApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = api.answer(self.path)
            if answer.silent:
                api.over.wait(30)
                return
            body = answer.body.encode()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json; charset=utf-8", **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + (100 if answer.cut_off else 0)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.address = f"http://127.0.0.1:{server.server_address[1]}/api/retail/prices"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        api.over.set()
        server.shutdown()
        thread.join()
        server.server_close()

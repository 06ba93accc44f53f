from __future__ import annotations

from tests.spec.environments import DATA, POOL, Case, cases, judge

_ASSUMED = ("prices", "assumed")
_LUSTRE = {
    "service": "Managed Lustre",
    "meter": "AMLFS-Durable-Premium-250",
    "usd": 150,
    "unit": "TiB-month",
    "reason": "a quotation of October",
}
_SPOT = {
    "sku": "Standard_NC80adis_H100_v5",
    "priority": "spot",
    "usd": 4.5,
    "unit": "hour",
    "reason": "a third of the list price",
}


@cases(
    Case(
        "nothing named",
        {_ASSUMED: [{"usd": 1, "unit": "hour", "reason": "because we think so"}]},
        "prices.assumed[0]",
        "does not say what it is the price of",
        {_ASSUMED: [_LUSTRE, _SPOT]},
    ),
    Case(
        "a service without its meter",
        {_ASSUMED: [{key: value for key, value in _LUSTRE.items() if key != "meter"}]},
        "prices.assumed[0]",
        "does not say what it is the price of",
    ),
    Case(
        "a size and a service",
        {_ASSUMED: [{**_LUSTRE, "sku": "Standard_NC80adis_H100_v5", "unit": "hour"}]},
        "prices.assumed[0]",
        "is the price of a VM size and of a service at once",
    ),
    Case(
        "spot Lustre",
        {_ASSUMED: [{**_LUSTRE, "priority": "spot"}]},
        "prices.assumed[0].priority",
        "only a VM size has a spot price",
    ),
    Case(
        "a misspelt size",
        {_ASSUMED: [{**_SPOT, "sku": "Standard_NC80adis_H100_v6"}]},
        "prices.assumed[0].sku",
        "Standard_NC80adis_H100_v6 is no VM size of the catalogue",
    ),
    Case(
        "a size by the month",
        {_ASSUMED: [{**_SPOT, "unit": "month"}]},
        "prices.assumed[0].unit",
        "a VM size is sold by the hour, not by the month",
    ),
    Case(
        "a misspelt meter",
        {_ASSUMED: [{**_LUSTRE, "meter": "AMLFS-Durable-Premium-255"}]},
        "prices.assumed[0]",
        "Managed Lustre has no meter 'AMLFS-Durable-Premium-255' in the price list; the nearest is"
        " AMLFS-Durable-Premium-250",
    ),
    Case(
        "a misspelt service",
        {_ASSUMED: [{**_LUSTRE, "service": "Manged Lustre"}]},
        "prices.assumed[0]",
        "no service 'Manged Lustre' in the price list; the nearest is Managed Lustre",
    ),
    Case(
        "another unit",
        {_ASSUMED: [{**_LUSTRE, "unit": "GB-month"}]},
        "prices.assumed[0].unit",
        "Managed Lustre, AMLFS-Durable-Premium-250 is sold by the TiB-month, not by the GB-month",
    ),
    Case(
        "a meter without a unit of planning",
        {_ASSUMED: [{**_LUSTRE, "service": "Azure Monitor", "meter": "Managed Prometheus ingestion"}]},
        "prices.assumed[0]",
        "Azure Monitor, Managed Prometheus ingestion is sold by sample, which no planning price can be given for",
    ),
    Case(
        "a reason that would write to a terminal",
        {_ASSUMED: [{**_SPOT, "reason": "a third \x1b[31mof the list price"}]},
        "prices.assumed[0].reason",
        'the text "a third \\u001b[31mof the list price" is not text on one line without control characters',
    ),
    Case(
        "one price twice",
        {_ASSUMED: [_SPOT, {**_SPOT, "regions": ["eastus"], "usd": 5}]},
        "prices.assumed[1]",
        "prices the same as prices.assumed[0]",
        {_ASSUMED: [{**_SPOT, "regions": ["swedencentral"]}, {**_SPOT, "regions": ["eastus"], "usd": 5}]},
    ),
    Case(
        "spot usage of a regular pool",
        {(*POOL, "usage"): {"utilizationPercent": 50, "spotAvailabilityPercent": 70}},
        "training[0].pools[0].usage.spotAvailabilityPercent",
        "only a spot pool waits for spot capacity",
        {(*POOL, "usage"): {"utilizationPercent": 50}},
    ),
    Case(
        "evictions of a regular pool",
        {(*POOL, "usage"): {"utilizationPercent": 50, "spotEvictionBand": "5-10"}},
        "training[0].pools[0].usage.spotEvictionBand",
        "only nodes of a spot pool are evicted",
        {(*DATA, "priority"): "spot", (*DATA, "usage"): {"utilizationPercent": 50, "spotEvictionBand": "20+"}},
    ),
)
def test_prices(case: Case) -> None:
    judge(case)

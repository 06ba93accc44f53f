"""What there is one of: registry and replicas, Front Door or Traffic Manager; and the logs of each cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from gpufleet.catalog.table import read
from gpufleet.cost.charge import Category, Charge, Meter, ServiceMeter
from gpufleet.cost.item import Placed
from gpufleet.cost.money import Bounds, decimal
from gpufleet.cost.pricers.context import UNDECLARED, Context, flow, undeclared, unknown
from gpufleet.cost.rates import NoRate

_DAYS_PER_MONTH = 365 / 12


def registry(context: Context, item: Placed) -> Iterator[Charge]:
    """The registry by the day, and the images beyond what that includes."""
    sku = item.text("sku", "name")
    meter: Meter | str = ServiceMeter("Container Registry", f"{sku} registry") if sku else "a registry of unknown tier"
    yield Charge(category=Category.REGISTRY, meter=meter, quantity=Bounds.fixed(1))
    yield _images(context, sku or "")


def replica(context: Context, item: Placed) -> Iterator[Charge]:
    """A replica by the day, and the images beyond what that includes."""
    del item
    meter = ServiceMeter("Container Registry", "Geo-replication replica (Premium)")
    yield Charge(category=Category.REGISTRY, meter=meter, quantity=Bounds.fixed(1))
    yield _images(context, "Premium")


def api_management(context: Context, item: Placed) -> Iterator[Charge]:
    """Scale units by the month, those of additional locations too."""
    del context
    tier = item.text("sku", "name")
    meter: Meter | str = ServiceMeter("API Management", f"{tier} unit") if tier else "API Management of unknown tier"
    # Every location has the units of the first (ApiManagement).
    units = item.number("sku", "capacity")
    places = 1 + len(item.records("additionalLocations") or ())
    quantity = unknown("sku.capacity") if units is None else Bounds.fixed(units * places)
    yield Charge(category=Category.API_MANAGEMENT, meter=meter, quantity=quantity)


def front_door(context: Context, item: Placed) -> Iterator[Charge]:
    """The profile by the month, requests, and what goes to clients and to the regions.

    Requests and transfer are priced in the zone of whoever asks; declared volumes count as those of zone 1 (North
    America and Europe), for nothing declares where clients are.
    """
    tier = {"Standard_AzureFrontDoor": "Standard", "Premium_AzureFrontDoor": "Premium"}.get(
        item.text("sku", "name") or ""
    )
    if tier is None:
        yield Charge(
            category=Category.FRONT_DOOR, meter="a Front Door profile of unknown tier", quantity=Bounds.fixed(1)
        )
        return
    usage = context.environment.usage
    zone = "clients counted as in zone 1"
    yield _front_door(f"{tier} base fee", Bounds.fixed(1))
    yield _front_door(
        f"{tier} requests zone 1", flow(usage.front_door_requests_per_month, "frontDoorRequestsPerMonth"), zone
    )
    yield _front_door(
        "Edge to client, zone 1", flow(usage.front_door_egress_gb_per_month, "frontDoorEgressGbPerMonth"), zone
    )
    yield _front_door("Edge to origin", flow(usage.front_door_origin_gb_per_month, "frontDoorOriginGbPerMonth"))


def traffic_manager(context: Context, item: Placed) -> Iterator[Charge]:
    """DNS queries; a profile below another is asked through that one, whose answer is one query."""
    if item.text("trafficRoutingMethod") == "Performance":
        return
    queries = flow(context.environment.usage.traffic_manager_queries_per_month, "trafficManagerQueriesPerMonth")
    yield _traffic_manager("DNS queries", queries)


def traffic_manager_endpoint(context: Context, item: Placed) -> Iterator[Charge]:
    """Health checks of an endpoint, and what their fast interval costs beside them."""
    del item
    yield _traffic_manager("Azure endpoint health checks", Bounds.fixed(1))
    inference = context.environment.inference
    manager = inference.traffic_manager if inference else None
    if manager is None or manager.monitor.interval_seconds == _FAST_INTERVAL_SECONDS:
        yield _traffic_manager("Azure endpoint fast interval health checks", Bounds.fixed(1))


_FAST_INTERVAL_SECONDS = 10
"""Traffic Manager's fast probing (traffic-manager-monitoring)."""


def workspace(context: Context, item: Placed) -> Iterator[Charge]:
    """What the cluster sends to the workspace; 31 days of keeping it are included, longer is not."""
    quantity = flow(context.environment.usage.logs_gb_per_day, "logsGbPerDay", factor=_DAYS_PER_MONTH)
    meter: Meter | str = ServiceMeter("Log Analytics", "Analytics ingestion pay-as-you-go")
    if (sku := item.text("sku", "name")) != "PerGB2018":
        meter = f"Log Analytics by the plan {sku or '?'}"
    yield Charge(category=Category.LOGS, meter=meter, quantity=quantity)
    days = item.number("retentionInDays")
    if days is None or days > _INCLUDED_RETENTION_DAYS:
        yield Charge(
            category=Category.LOGS,
            meter=ServiceMeter("Log Analytics", "Retention above included"),
            quantity=unknown("its retention") if days is None else _kept_longer(quantity, days),
        )


def monitor_workspace(context: Context, item: Placed) -> Iterator[Charge]:
    """Prometheus samples that come in, and what rules and autoscalers read of them."""
    del item
    samples = context.environment.usage.prometheus_samples_million_per_month
    yield Charge(
        category=Category.LOGS,
        meter=ServiceMeter("Azure Monitor", "Managed Prometheus ingestion"),
        quantity=flow(samples, "prometheusSamplesMillionPerMonth", factor=1e6),
    )
    yield Charge(
        category=Category.LOGS,
        meter=ServiceMeter("Azure Monitor", "Managed Prometheus queries of a workspace"),
        quantity=Bounds.fixed(1),
    )


def diagnostic_setting(context: Context, item: Placed) -> Iterator[Charge]:
    """Nothing towards a Log Analytics workspace, which charges for what comes in.

    Other destinations are charged for each GB that is exported, at a price no source gives.
    """
    del context
    for key in ("storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId"):
        if item.at(key) is not None:
            yield Charge(
                category=Category.LOGS,
                meter=f"logs exported by {key}",
                quantity=NoRate(UNDECLARED, "Send them to a workspace"),
            )


_INCLUDED_RETENTION_DAYS = 31
"""Days that the price of ingestion includes (Azure Monitor logs: data retention)."""


def _kept_longer(quantity: Bounds | NoRate, days: Decimal) -> Bounds | NoRate:
    """GB kept beyond what is included, in the long run: a day's volume for each further day."""
    if isinstance(quantity, NoRate):
        return quantity
    further = (days - _INCLUDED_RETENTION_DAYS) / decimal(_DAYS_PER_MONTH)
    return quantity.map(lambda volume: volume * further)


def _images(context: Context, sku: str) -> Charge:
    kept = context.environment.usage.registry_gb
    included = _included_gib().get(sku, 0)
    return Charge(
        category=Category.REGISTRY,
        meter=ServiceMeter("Container Registry", "Storage above included quota"),
        quantity=undeclared("registryGb") if kept is None else Bounds.fixed(max(0, kept - included)),
    )


def _traffic_manager(meter: str, quantity: Bounds | NoRate) -> Charge:
    return Charge(category=Category.TRAFFIC_MANAGER, meter=ServiceMeter("Traffic Manager", meter), quantity=quantity)


def _front_door(meter: str, quantity: Bounds | NoRate, note: str = "") -> Charge:
    return Charge(category=Category.FRONT_DOOR, meter=ServiceMeter("Front Door", meter), quantity=quantity, note=note)


@lru_cache(maxsize=1)
def _included_gib() -> Mapping[str, float]:
    rows = read("registry_included.csv", ("sku", "included_gib", "source", "as_of"), package="gpufleet.cost")
    return {row.text("sku"): row.number("included_gib") for row in rows}

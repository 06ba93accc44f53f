"""Networks: NAT gateways, public addresses, private endpoints and zones."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.cost.charge import Category, Charge, ServiceMeter
from gpufleet.cost.item import Placed
from gpufleet.cost.money import Bounds
from gpufleet.cost.pricers.context import Context, flow
from gpufleet.cost.rates import NoRate


def nat_gateway(context: Context, item: Placed) -> Iterator[Charge]:
    """The gateway by the hour and what it processes."""
    del item
    yield _network(ServiceMeter("NAT Gateway", "Gateway"), Bounds.fixed(1))
    volume = flow(context.environment.usage.nat_gb_per_month, "natGbPerMonth")
    yield _network(ServiceMeter("NAT Gateway", "Data processed"), volume)


def public_ip(context: Context, item: Placed) -> Iterator[Charge]:
    """A static address by the hour, attached or not."""
    del context
    match item.text("sku", "name"), item.text("sku", "tier"), item.text("publicIPAllocationMethod"):
        case "Standard", "Regional" | None, _:
            yield _network(ServiceMeter("Public IP", "Standard static IPv4 regional"), Bounds.fixed(1))
        case "Standard", "Global", _:
            yield _network(ServiceMeter("Public IP", "Standard static IPv4 global tier"), Bounds.fixed(1))
        case sku, tier, method:
            kind = " ".join(part or "?" for part in (sku, tier, method))
            yield Charge(
                category=Category.NETWORK, meter=f"a public address of the kind {kind}", quantity=Bounds.fixed(1)
            )


def private_endpoint(context: Context, item: Placed) -> Iterator[Charge]:
    """The endpoint by the hour and what goes through it."""
    del item
    yield _network(ServiceMeter("Private Endpoint", "Endpoint"), Bounds.fixed(1))
    volume = flow(context.environment.usage.private_endpoint_gb_per_month, "privateEndpointGbPerMonth")
    yield _network(ServiceMeter("Private Endpoint", "Data processed, each direction"), volume)


def private_zone(context: Context, item: Placed) -> Iterator[Charge]:
    """The zone by the month; its queries are left out."""
    del context, item
    yield _network(ServiceMeter("Private DNS", "Zone"), Bounds.fixed(1))


def _network(meter: ServiceMeter, quantity: Bounds | NoRate) -> Charge:
    return Charge(category=Category.NETWORK, meter=meter, quantity=quantity)

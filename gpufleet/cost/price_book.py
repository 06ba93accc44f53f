"""Looking a price up: negotiated or list price of the region, then a planning price, then another region's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gpufleet.catalog import prices, services
from gpufleet.catalog.services import Period, ServicePrice, Tier
from gpufleet.cost.charge import Meter, ServiceMeter, VmMeter
from gpufleet.cost.item import UNKNOWN_REGION
from gpufleet.cost.money import ZERO, decimal
from gpufleet.cost.rates import NoRate, PriceKind, Rate
from gpufleet.spec.assumed_prices import AssumedPrice, planning_unit
from gpufleet.spec.base import Priority

_STACK_FILE = "the stack file"


@dataclass(frozen=True, kw_only=True)
class UnusedPrice:
    """A planning price that nothing needed.

    Attributes:
        index: in `prices.assumed`.
        subject: the size or meter that it is of.
    """

    index: int
    subject: str

    def __str__(self) -> str:
        return f"prices.assumed[{self.index}] ({self.subject}): a price is known, or nothing here needs it"


class PriceBook:
    """The prices that one estimate is made with.

    Args:
        assumed: planning prices of the environment; the first that names the region goes before one for all.
    """

    def __init__(self, *, assumed: Sequence[AssumedPrice] = ()) -> None:
        self._assumed = list(assumed)
        self._used: set[int] = set()

    def rate(self, meter: Meter, region: str, most: Decimal) -> Rate | NoRate:
        """The price of a meter in a region.

        Args:
            meter: of a VM size or of another service.
            region: Azure region, or `global`.
            most: the largest quantity it will be asked for: graduated prices may end before it.

        Raises:
            CatalogError: a table of prices is damaged.
            ConfigurationError: the negotiated prices are.
        """
        if region == UNKNOWN_REGION:
            return NoRate("nothing tells the region that it is in", "")
        return self._node(meter, region) if isinstance(meter, VmMeter) else self._service(meter, region, most)

    def unused(self) -> tuple[UnusedPrice, ...]:
        """The planning prices that no look-up needed so far."""
        return tuple(
            UnusedPrice(index=index, subject=str(price.sku or price.meter))
            for index, price in enumerate(self._assumed)
            if index not in self._used
        )

    def _node(self, meter: VmMeter, region: str) -> Rate | NoRate:
        found = prices.price(meter.size, region, spot=meter.priority is Priority.SPOT)
        if isinstance(found, prices.Priced):
            return Rate(
                price=_node_price(
                    str(meter),
                    found.usd_per_hour,
                    as_of=found.as_of,
                    source=found.source,
                    list_usd=found.list_usd_per_hour,
                ),
                kind=PriceKind(found.kind.value),
                note=found.reason or found.note,
            )
        if (planned := self._planned(meter, region)) is not None:
            price = _node_price(str(meter), decimal(planned.usd), as_of="", source=_STACK_FILE)
            return Rate(price=price, kind=PriceKind.ASSUMED, note=planned.reason)
        subject = f"sku: {meter.size}, priority: {meter.priority.value}, unit: hour"
        return NoRate(found.reason, _how_to_plan(subject))

    def _service(self, meter: ServiceMeter, region: str, most: Decimal) -> Rate | NoRate:
        try:
            unit = services.unit_of(meter.service, meter.meter)
        except services.UnknownMeterError as error:
            return NoRate(error.message, "")
        here = _up_to(services.price(meter.service, meter.meter, region), most)
        if isinstance(here, ServicePrice):
            return Rate(price=here, kind=PriceKind(here.kind.value), note=here.reason or here.note)
        planned = self._planned(meter, region)
        # The specification's checks refuse another unit; a price in it would be wrong by a thousandfold.
        if planned is not None and planned.unit is planning_unit(unit):
            return _planned_rate(planned, unit)
        other = _up_to(services.price(meter.service, meter.meter, region, elsewhere=True), most)
        if isinstance(other, ServicePrice):
            note = f"list price of {other.known_for}, none known here"
            return Rate(price=other, kind=PriceKind.ASSUMED, note=note)
        wanted = planning_unit(unit)
        if wanted is None:
            return NoRate(_without_name(other.reason, unit), "")
        subject = f'service: {meter.service}, meter: "{meter.meter}", unit: {wanted.value}'
        return NoRate(_without_name(other.reason, unit), _how_to_plan(subject))

    def _planned(self, meter: Meter, region: str) -> AssumedPrice | None:
        fitting = [
            (index, price)
            for index, price in enumerate(self._assumed)
            if _is_about(price, meter) and (not price.regions or region in price.regions)
        ]
        # One that names the region is meant more than one for all.
        for index, price in sorted(fitting, key=lambda found: not found[1].regions):
            self._used.add(index)
            return price
        return None


def _node_price(meter: str, usd: Decimal, *, as_of: str, source: str, list_usd: Decimal | None = None) -> ServicePrice:
    return ServicePrice(
        service="Virtual Machines",
        meter=meter,
        tiers=(Tier(from_quantity=ZERO, usd=usd, note=""),),
        unit="node",
        unit_quantity=1,
        period=Period.HOUR,
        as_of=as_of,
        source=source,
        confidence="",
        note="",
        known_for="",
        list_usd=list_usd,
    )


def _planned_rate(planned: AssumedPrice, unit: ServicePrice) -> Rate:
    tier = Tier(from_quantity=ZERO, usd=decimal(planned.usd), note="")
    price = replace(unit, tiers=(tier,), as_of="", source=_STACK_FILE, confidence="", note="", known_for="")
    return Rate(price=price, kind=PriceKind.ASSUMED, note=planned.reason)


def _up_to(found: ServicePrice | prices.Unpriced, most: Decimal) -> ServicePrice | prices.Unpriced:
    """The price, unless the quantity reaches into a tier that nobody knows the price of."""
    if isinstance(found, prices.Unpriced):
        return found
    cost = found.cost(most)
    return cost if isinstance(cost, prices.Unpriced) else found


def _is_about(price: AssumedPrice, meter: Meter) -> bool:
    if isinstance(meter, VmMeter):
        return (price.sku, price.priority) == (meter.size, meter.priority)
    return (price.service, price.meter) == (meter.service, meter.meter)


def _without_name(reason: str, unit: ServicePrice) -> str:
    """A reason that stands behind the meter's name already."""
    return reason.removeprefix(f"{unit.service}, {unit.meter}: ")


def _how_to_plan(subject: str) -> str:
    return f"Give a planning price: prices: {{assumed: [{{{subject}, usd: …, reason: …}}]}}"

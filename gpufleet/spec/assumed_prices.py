"""Planning prices: what an environment assumes where no public source has a price."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from gpufleet.catalog.services import Period, ServicePrice
from gpufleet.spec.base import Priority, RegionName, SizeName, Spec


class PriceUnit(StrEnum):
    """What a planning price is for one of."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    GB = "GB"
    GB_MONTH = "GB-month"
    TIB_MONTH = "TiB-month"
    TEN_THOUSAND = "10k"
    """Ten thousand requests or operations."""


_UNITS: Final[dict[tuple[str, int, Period | None], PriceUnit]] = {
    ("GB", 1, None): PriceUnit.GB,
    ("GB", 1, Period.MONTH): PriceUnit.GB_MONTH,
    ("TiB", 1, Period.MONTH): PriceUnit.TIB_MONTH,
    ("operation", 10_000, None): PriceUnit.TEN_THOUSAND,
}
_PERIODS: Final = {Period.HOUR: PriceUnit.HOUR, Period.DAY: PriceUnit.DAY, Period.MONTH: PriceUnit.MONTH}


def planning_unit(meter: ServicePrice) -> PriceUnit | None:
    """The unit of a planning price for a meter of a service; None for a meter that none can be given for."""
    known = _UNITS.get((meter.unit, meter.unit_quantity, meter.period))
    if known is not None or meter.period is None or meter.unit_quantity != 1:
        return known
    return _PERIODS[meter.period]


class AssumedPrice(Spec):
    """One planning price: of a VM size at a priority, or of a meter of another service.

    It counts only where neither a list price nor a negotiated one is known, and every report shows it as assumed.
    """

    sku: SizeName | None = None
    """VM size by its ARM name; or give `service` and `meter`."""
    priority: Annotated[Priority, Field(strict=False)] = Priority.REGULAR
    """Of a VM size: regular or spot."""
    service: str | None = None
    """Azure service, as in the price list: Managed Lustre."""
    meter: str | None = None
    """Meter of the service, as in the price list: AMLFS-Durable-Premium-250."""
    regions: list[RegionName] = []
    """Where it counts; everywhere unless given."""
    usd: Annotated[float, Field(gt=0, le=1e9)]
    """USD for one unit."""
    unit: Annotated[PriceUnit, Field(strict=False)]
    """What the price is for one of; VM sizes are sold by the hour."""
    reason: Annotated[str, Field(min_length=10, max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
    """Where the number comes from, for whoever reads the report."""


class Prices(Spec):
    """What the environment knows of prices that the price list does not."""

    assumed: list[AssumedPrice] = []
    """Planning prices."""

"""Planning prices and declared usage: each about something that exists, once, in a unit it is sold by."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import services, sizes
from gpufleet.spec.assumed_prices import AssumedPrice, PriceUnit, planning_unit
from gpufleet.spec.base import Path, Priority
from gpufleet.spec.checks.places import pools_of
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem


def check_prices(environment: Environment) -> Iterator[Problem]:
    """Planning prices that nothing could use, or that contradict each other; spot usage of a regular pool."""
    assumed = environment.prices.assumed
    for index, price in enumerate(assumed):
        path = ("prices", "assumed", index)
        yield from _subject(price, path)
        for before, other in enumerate(assumed[:index]):
            if _same_subject(price, other) and _overlap(price.regions, other.regions):
                message = f"prices the same as prices.assumed[{before}]"
                yield Problem(path=path, message=message, fix="Keep one, or give them different regions")
                break
    for placed in pools_of(environment):
        usage = placed.pool.usage
        if usage is None or placed.pool.priority is Priority.SPOT:
            continue
        for key, value, message in (
            (
                "spotAvailabilityPercent",
                usage.spot_availability_percent,
                "only a spot pool waits for spot capacity",
            ),
            ("spotEvictionBand", usage.spot_eviction_band, "only nodes of a spot pool are evicted"),
        ):
            if value is not None:
                yield Problem(
                    path=(*placed.path, "usage", key),
                    message=message,
                    fix="Leave it out, or add `priority: spot`",
                    reads=((*placed.path, "priority"),),
                )


def _subject(price: AssumedPrice, path: Path) -> Iterator[Problem]:
    if price.sku is None:
        if price.service is None or price.meter is None:
            fix = "Give `sku`, or `service` and `meter`"
            yield Problem(path=path, message="does not say what it is the price of", fix=fix)
        elif price.priority is not Priority.REGULAR:
            fix = "Leave `priority` out"
            yield Problem(path=(*path, "priority"), message="only a VM size has a spot price", fix=fix)
        else:
            yield from _meter(price.service, price.meter, price.unit, path)
        return
    if price.service is not None or price.meter is not None:
        fix = "Give `sku`, or `service` and `meter`"
        yield Problem(path=path, message="is the price of a VM size and of a service at once", fix=fix)
    if sizes.find(price.sku) is None:
        near = sizes.nearest(price.sku)
        fix = f"Did you mean {near}?" if near else "See data/sizes.csv"
        yield Problem(path=(*path, "sku"), message=f"{price.sku} is no VM size of the catalogue", fix=fix)
    if price.unit is not PriceUnit.HOUR:
        message = f"a VM size is sold by the hour, not by the {price.unit.value}"
        yield Problem(path=(*path, "unit"), message=message, fix="Write hour")


def _meter(service: str, meter: str, unit: PriceUnit, path: Path) -> Iterator[Problem]:
    try:
        known = services.unit_of(service, meter)
    except services.UnknownMeterError as error:
        yield Problem(path=path, message=error.message, fix="See data/services.csv")
        return
    wanted = planning_unit(known)
    if wanted is None:
        message = f"{service}, {meter} is sold by {known.unit}, which no planning price can be given for"
        yield Problem(path=path, message=message, fix="Leave it out")
    elif unit is not wanted:
        message = f"{service}, {meter} is sold by the {wanted.value}, not by the {unit.value}"
        yield Problem(path=(*path, "unit"), message=message, fix=f"Write {wanted.value}, and the price of one")


def _same_subject(one: AssumedPrice, other: AssumedPrice) -> bool:
    return (one.sku, one.priority, one.service, one.meter) == (other.sku, other.priority, other.service, other.meter)


def _overlap(one: list[str], other: list[str]) -> bool:
    return not one or not other or bool(set(one) & set(other))

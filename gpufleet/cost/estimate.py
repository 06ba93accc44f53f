"""What an environment costs: every resource priced, known free, or listed as unpriced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gpufleet.cost.charge import Charge, Meter, VmMeter
from gpufleet.cost.item import Item, Placed, place
from gpufleet.cost.lines import Amount, Line, Origin, Overlap, Part, Unbilled, Unpriced
from gpufleet.cost.load import PoolLoad, pool_loads
from gpufleet.cost.money import NOTHING, Bounds, decimal
from gpufleet.cost.overlaps import overlaps
from gpufleet.cost.price_book import PriceBook, UnusedPrice
from gpufleet.cost.pricers import PRICERS, Context, free
from gpufleet.cost.rates import NoRate, PriceKind, Rate
from gpufleet.spec.base import Priority
from gpufleet.spec.budget import Gate
from gpufleet.spec.environment import Environment

_DATE = re.compile(r"^\d{4}(-\d{2}){0,2}$")

NO_COST = Amount(hourly=NOTHING, monthly=NOTHING, period=NOTHING)


class Verdict(StrEnum):
    """The cost gate's answer."""

    WITHIN = "within"
    OVER = "over"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The cost of one environment.

    Attributes:
        budget: USD a month.
        gate: the bound that is held against the budget.
        lines: what has a price.
        unpriced: what has none; no amount of it is in any sum.
        unbilled: what is not billed by itself.
        overlaps: what upgrades and rotations add while they last; in no sum either.
        loads: by scope and pool name, the use that `expected` rests on.
        unused: planning prices that nothing needed.
    """

    environment: str
    budget: Decimal
    gate: Gate
    lines: tuple[Line, ...]
    unpriced: tuple[Unpriced, ...]
    unbilled: tuple[Unbilled, ...]
    overlaps: tuple[Overlap, ...]
    loads: Mapping[tuple[str, str], PoolLoad]
    unused: tuple[UnusedPrice, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every charge, priced or not."""
        return (*self.lines, *self.unpriced)

    @property
    def total(self) -> Amount:
        """Everything that has a price."""
        return total(self.lines)

    @property
    def worst(self) -> Amount:
        """The total if all spot nodes fell back to the regular price, those without a spot price among them."""
        extra = [part.fallback for part in self.unpriced if isinstance(part.fallback, Amount)]
        return sum((*(line.worst for line in self.lines), *extra), NO_COST)

    @property
    def held(self) -> Decimal:
        """USD of the longest budget period that the gate holds against the budget."""
        return self.total.period.at(self.gate)

    @property
    def verdict(self) -> Verdict:
        """Whether the gate's bound fits the budget. Unpriced parts are no part of it: `strict` callers ask for none."""
        return Verdict.WITHIN if self.held <= self.budget else Verdict.OVER

    def of_kind(self, kind: PriceKind) -> Amount:
        """The part of the total with prices of one kind."""
        return total(line for line in self.lines if line.rate.kind is kind)

    def of_priority(self, priority: Priority | None) -> Amount | None:
        """Nodes at one priority, `None` for everything that is no node; None when there is some and none is priced."""
        lines = [line for line in self.lines if line.priority is priority]
        if not lines and any(part.priority is priority for part in self.unpriced):
            return None
        return total(lines)

    def by(self, key: Callable[[Origin], str]) -> dict[str, Amount]:
        """Sums by any property of the origin, in its alphabetical order."""
        found: dict[str, Amount] = {}
        for line in self.lines:
            name = key(line.origin)
            found[name] = found.get(name, NO_COST) + line.amount
        return dict(sorted(found.items()))

    def dates(self) -> tuple[str, str]:
        """The oldest and the newest date of the prices used, as the sources give them; "" without any."""
        dated = sorted({line.rate.as_of for line in self.lines if _DATE.match(line.rate.as_of)})
        return (dated[0], dated[-1]) if dated else ("", "")

    def undated(self) -> tuple[str, ...]:
        """What the sources say of prices that they give no date of, such as `2024 to 2025`."""
        return tuple(sorted({line.rate.as_of for line in self.lines if not _DATE.match(line.rate.as_of)} - {""}))


def total(lines: Iterable[Line]) -> Amount:
    """The sum of lines."""
    return sum((line.amount for line in lines), NO_COST)


def estimate(environment: Environment, items: Iterable[Item], *, name: str, book: PriceBook | None = None) -> Estimate:
    """Price an environment.

    Args:
        environment: what the stack file says.
        items: the resources that the program makes of it, components among them.
        name: of the environment.
        book: prices; list prices and the environment's own planning prices unless given.

    Raises:
        CatalogError: a table of prices or facts is damaged.
    """
    book = book or PriceBook(assumed=environment.prices.assumed)
    context = Context(environment=environment, loads=pool_loads(environment))
    lines: list[Line] = []
    unpriced: list[Unpriced] = []
    unbilled: list[Unbilled] = []
    placed = list(place(environment, items))
    for item in placed:
        origin = _origin(item)
        if (pricer := PRICERS.get(item.type)) is not None:
            found = list(_priced(pricer(context, item), origin, book))
            lines += [part for part in found if isinstance(part, Line)]
            unpriced += [part for part in found if isinstance(part, Unpriced)]
            if not found:
                unbilled.append(Unbilled(origin=origin, reason="nothing of it is charged as it is set up", source=""))
        elif (reason := free(item.type)) is not None:
            unbilled.append(Unbilled(origin=origin, reason=reason.reason, source=reason.source))
        else:
            unpriced.append(_unknown_type(origin))
    return Estimate(
        environment=name,
        budget=decimal(environment.budget.monthly_usd),
        gate=environment.budget.gate,
        lines=tuple(lines),
        unpriced=tuple(unpriced),
        unbilled=tuple(unbilled),
        overlaps=tuple(overlaps(context, [(item, _origin(item)) for item in placed], book)),
        loads=context.loads,
        unused=book.unused(),
    )


def _origin(item: Placed) -> Origin:
    return Origin(
        urn=item.urn,
        type=item.type,
        name=item.name,
        component=item.component,
        region=item.region,
        pool=item.pool_name,
    )


def _priced(charges: Iterable[Charge], origin: Origin, book: PriceBook) -> Iterator[Line | Unpriced]:
    for charge in charges:
        if isinstance(charge.quantity, Bounds) and not charge.quantity:
            continue  # none of it: what that would cost is no gap
        yield _one(charge, origin, book)


def _one(charge: Charge, origin: Origin, book: PriceBook) -> Line | Unpriced:
    meter, quantity = charge.meter, charge.quantity
    priority = meter.priority if isinstance(meter, VmMeter) else None
    if isinstance(quantity, NoRate):
        return _gap(charge, origin, priority, quantity)
    rate = _rate(meter, quantity, origin.region, book)
    fallback = _fallback(meter, quantity, origin.region, book)
    if isinstance(rate, NoRate):
        return _gap(charge, origin, priority, rate, fallback)
    return Line(
        origin=origin,
        category=charge.category,
        meter=str(meter),
        priority=priority,
        quantity=quantity,
        rate=rate,
        amount=Amount.of(rate, quantity),
        note=charge.note,
        fallback=fallback,
    )


def _gap(
    charge: Charge,
    origin: Origin,
    priority: Priority | None,
    lacking: NoRate,
    fallback: Amount | NoRate | None = None,
) -> Unpriced:
    return Unpriced(
        origin=origin,
        category=charge.category,
        meter=str(charge.meter),
        priority=priority,
        quantity=charge.quantity if isinstance(charge.quantity, Bounds) else None,
        reason=lacking.reason,
        fix=lacking.fix,
        fallback=fallback,
    )


def _rate(meter: Meter | str, quantity: Bounds, region: str, book: PriceBook) -> Rate | NoRate:
    if isinstance(meter, str):
        return NoRate(f"{meter} has no price", "Give the program a plain value, or extend the pricer")
    return book.rate(meter, region, quantity.ceiling)


def _fallback(meter: Meter | str, quantity: Bounds, region: str, book: PriceBook) -> Amount | NoRate | None:
    """Spot nodes at the regular price."""
    if not isinstance(meter, VmMeter) or meter.priority is not Priority.SPOT:
        return None
    rate = book.rate(VmMeter(meter.size, Priority.REGULAR), region, quantity.ceiling)
    return rate if isinstance(rate, NoRate) else Amount.of(rate, quantity)


def _unknown_type(origin: Origin) -> Unpriced:
    return Unpriced(
        origin=origin,
        category=None,
        meter=origin.type,
        priority=None,
        quantity=None,
        reason="nothing says what this type of resource costs, or that it is free",
        fix="Give it a pricer in gpufleet/cost/pricers, or a row with its source in gpufleet/cost/data/free.csv",
    )

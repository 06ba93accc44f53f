"""Priced and unpriced parts of a bill, one a charge, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gpufleet.cost.charge import Category
from gpufleet.cost.money import HOURS_PER_MONTH, HOURS_PER_PERIOD, Bounds, cents, micro
from gpufleet.cost.rates import NoRate, Rate
from gpufleet.spec.base import Priority


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a part of the bill belongs to.

    Attributes:
        urn: of the resource.
        type: its type token, without an API version.
        component: `training lab`, `inference eastus`, `container registry`, ….
        pool: name of the pool in the specification, "" outside of pools.
    """

    urn: str
    type: str
    name: str
    component: str
    region: str
    pool: str


@dataclass(frozen=True, kw_only=True)
class Amount:
    """USD by three clocks.

    Hours are rounded to a millionth, the others to the cent; sums are sums of rounded parts, so that what a report
    shows adds up.

    Attributes:
        hourly: an hour; a monthly fee by 730.
        monthly: a month of 730 hours.
        period: the longest period of the budget, a month of 744 hours.
    """

    hourly: Bounds
    monthly: Bounds
    period: Bounds

    @classmethod
    def of(cls, rate: Rate, quantity: Bounds) -> Amount:
        """What a quantity costs at a rate."""
        return cls(
            hourly=quantity.map(lambda count: micro(rate.amount(count, HOURS_PER_MONTH) / HOURS_PER_MONTH)),
            monthly=quantity.map(lambda count: cents(rate.amount(count, HOURS_PER_MONTH))),
            period=quantity.map(lambda count: cents(rate.amount(count, HOURS_PER_PERIOD))),
        )

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            hourly=self.hourly + other.hourly,
            monthly=self.monthly + other.monthly,
            period=self.period + other.period,
        )

    def __sub__(self, other: Amount) -> Amount:
        return Amount(
            hourly=self.hourly - other.hourly,
            monthly=self.monthly - other.monthly,
            period=self.period - other.period,
        )


@dataclass(frozen=True, kw_only=True)
class Part:
    """One charge.

    Attributes:
        category: None for a type of resource that nobody priced.
        meter: what is charged, in words.
        priority: regular or spot for nodes, None for the rest.
        quantity: in the meter's units; None when nobody knows it.
        fallback: for spot nodes, the same nodes at the regular price; a reason when that has no price either.
    """

    origin: Origin
    category: Category | None
    meter: str
    priority: Priority | None
    quantity: Bounds | None
    fallback: Amount | NoRate | None = None


@dataclass(frozen=True, kw_only=True)
class Line(Part):
    """One charge with its price."""

    category: Category
    quantity: Bounds
    rate: Rate
    amount: Amount
    note: str

    @property
    def worst(self) -> Amount:
        """The amount if all spot nodes fell back to the regular price; never below the spot price."""
        if not isinstance(self.fallback, Amount):
            return self.amount
        return _larger(self.amount, self.fallback)


@dataclass(frozen=True, kw_only=True)
class Unpriced(Part):
    """One charge that no price or no quantity is known of: never a zero.

    Attributes:
        reason: why, in words.
        fix: what to write to give it a price.
    """

    reason: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class Unbilled:
    """A resource that is not billed by itself."""

    origin: Origin
    reason: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Nodes that run beside a pool for a while: what an upgrade or a rotation adds.

    Attributes:
        kind: `surge` (an upgrade adds nodes before it takes old ones away) or `rotation` (a change that AKS can't make
            in place adds a new pool, and the old one goes when it is drained).
        nodes: at most.
        hourly: USD an hour while it lasts; a reason when it has no price.
    """

    kind: str
    origin: Origin
    nodes: int
    hourly: Decimal | NoRate


def _larger(one: Amount, other: Amount) -> Amount:
    def each(first: Bounds, second: Bounds) -> Bounds:
        return Bounds(
            max(first.floor, second.floor), max(first.expected, second.expected), max(first.ceiling, second.ceiling)
        )

    return Amount(
        hourly=each(one.hourly, other.hourly),
        monthly=each(one.monthly, other.monthly),
        period=each(one.period, other.period),
    )

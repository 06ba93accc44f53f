"""The price of one unit of something, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gpufleet.catalog.services import Period, ServicePrice


class PriceKind(StrEnum):
    """Where a price comes from."""

    LIST = "list"
    """Azure's price list, for this region."""
    NEGOTIATED = "negotiated"
    """What a company agreed on with Azure."""
    ASSUMED = "assumed"
    """A planning price of the stack file, or the list price of another region: no source has one for this."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A price that is known up to the quantity it was looked up for.

    Attributes:
        price: units, tiers, source and date.
        kind: list, negotiated or assumed.
        note: of an assumed price its reason, of a negotiated one what was agreed, else what the table says.
    """

    price: ServicePrice
    kind: PriceKind
    note: str

    @property
    def usd(self) -> Decimal:
        """USD for one unit, in the first tier."""
        return self.price.usd

    @property
    def list_usd(self) -> Decimal | None:
        """The list price beside a negotiated one."""
        return self.price.list_usd

    @property
    def as_of(self) -> str:
        """Date of the source as it gives it: `2026-06-18`, `2026`, or words."""
        return self.price.as_of

    @property
    def unit(self) -> str:
        """The unit in words: `node-hour`, `10,000 operations`, `GB-month`."""
        count = self.price.unit_quantity
        unit = self.price.unit if count == 1 else f"{count:,} {self.price.unit}s"
        return f"{unit}-{self.price.period}" if self.price.period else unit

    def amount(self, quantity: Decimal, hours: Decimal) -> Decimal:
        """USD for `quantity` over `hours`, unrounded.

        What is priced by the month costs the same in a month of any length, and what flows is a month's volume.
        """
        cost = self.price.cost(quantity)
        if not isinstance(cost, Decimal):  # the price book looks as far as the largest quantity
            raise TypeError(f"{self.price.meter} has no price for {quantity}")
        match self.price.period:
            case Period.HOUR | Period.DAY as period:
                return cost * hours / period.hours
            case _:
                return cost


@dataclass(frozen=True)
class NoRate:
    """There is no price, why, and what to write to give it one."""

    reason: str
    fix: str

"""Amounts: decimal, in USD, as floor, expected and ceiling. No binary fraction ever holds money here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from gpufleet.spec.budget import Gate

ZERO: Final = Decimal(0)
HOURS_PER_MONTH: Final = Decimal(730)
"""Hours that a price list's month has: 8,760 a year by 12 (Azure pricing calculator)."""
HOURS_PER_PERIOD: Final = Decimal(744)
"""Hours of a budget's longest period: an Azure budget with a monthly grain runs by calendar months, of up to 31
days (Microsoft.Consumption/budgets 2024-08-01)."""

_CENT = Decimal("0.01")
_MICRO = Decimal("0.000001")


def decimal(number: float | Decimal | str) -> Decimal:
    """A number as written: 98.32 is 98.32 and not the nearest binary fraction."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


def cents(amount: Decimal) -> Decimal:
    """USD to the cent, halves away from zero."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def micro(amount: Decimal) -> Decimal:
    """USD to a millionth: an hour of what costs half a dollar a month is still above zero."""
    return amount.quantize(_MICRO, ROUND_HALF_UP)


@dataclass(frozen=True)
class Bounds:
    """A quantity or an amount with every pool at its minimum, at its declared use, at its maximum."""

    floor: Decimal
    expected: Decimal
    ceiling: Decimal

    @classmethod
    def fixed(cls, value: float | Decimal) -> Bounds:
        """The same at all three."""
        return cls(decimal(value), decimal(value), decimal(value))

    @classmethod
    def used(cls, value: float | Decimal) -> Bounds:
        """Nothing at the floor, `value` at the others: what flows only when something runs."""
        return cls(ZERO, decimal(value), decimal(value))

    @classmethod
    def total(cls, parts: Iterable[Bounds]) -> Bounds:
        """The sum."""
        result = NOTHING
        for part in parts:
            result += part
        return result

    def at(self, gate: Gate) -> Decimal:
        """One of the three."""
        match gate:
            case Gate.FLOOR:
                return self.floor
            case Gate.EXPECTED:
                return self.expected
            case Gate.CEILING:
                return self.ceiling

    def map(self, change: Callable[[Decimal], Decimal]) -> Bounds:
        """Each of the three changed alike."""
        return Bounds(change(self.floor), change(self.expected), change(self.ceiling))

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.floor + other.floor, self.expected + other.expected, self.ceiling + other.ceiling)

    def __sub__(self, other: Bounds) -> Bounds:
        return Bounds(self.floor - other.floor, self.expected - other.expected, self.ceiling - other.ceiling)

    def __bool__(self) -> bool:
        return bool(self.floor or self.expected or self.ceiling)


NOTHING: Final = Bounds(ZERO, ZERO, ZERO)

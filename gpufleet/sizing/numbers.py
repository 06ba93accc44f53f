"""The one gate for numbers: a sizing formula never sees a NaN, an infinity or a negative."""

from __future__ import annotations

import math

from gpufleet.errors import ConfigurationError

LARGEST = 1e30
"""No quantity of a fleet comes near it, in any unit; beyond it the formulas overflow."""


class SizingError(ConfigurationError):
    """Numbers that can't be sized, or a demand that nothing can meet; the text says which and what would help."""


def positive(name: str, value: float, *, at_most: float = LARGEST) -> float:
    """`value` when it is a finite number above 0.

    Raises:
        SizingError: names the quantity, the value and the bound.
    """
    if not (math.isfinite(value) and 0 < value <= at_most):
        raise SizingError(f"{name} is {value:g}: it must be above 0 and at most {at_most:g}")
    return value


def not_negative(name: str, value: float, *, at_most: float = LARGEST) -> float:
    """`value` when it is a finite number of at least 0.

    Raises:
        SizingError: names the quantity, the value and the bound.
    """
    if not (math.isfinite(value) and 0 <= value <= at_most):
        raise SizingError(f"{name} is {value:g}: it must be from 0 to {at_most:g}")
    return value


def share(name: str, value: float) -> float:
    """`value` when it is above 0 and below 1.

    Raises:
        SizingError: names the quantity and the value.
    """
    if not 0 < value < 1:
        raise SizingError(f"{name} is {value:g}: it must be above 0 and below 1")
    return value


def at_least_one(name: str, value: int, *, at_most: float = 1e9) -> int:
    """`value` when it is a whole number from 1.

    Raises:
        SizingError: names the quantity and the value.
    """
    if isinstance(value, bool) or value != int(positive(name, value, at_most=at_most)):
        raise SizingError(f"{name} is {value:g}: it must be a whole number of at least 1")
    return value

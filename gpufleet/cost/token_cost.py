"""What a million output tokens of one model cost in one region."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class TokenCost:
    """USD for a million output tokens; None where nothing is served or a price is missing.

    Attributes:
        floor: with every pool at its minimum and its servers busy.
        expected: over a day of the declared demand.
        peak: with every pool at its maximum and its servers busy.
        basis: what it rests on, or why a figure is missing.
    """

    region: str
    model: str
    floor: Decimal | None
    expected: Decimal | None
    peak: Decimal | None
    basis: str

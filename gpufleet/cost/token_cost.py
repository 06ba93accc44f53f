"""What a million output tokens of one model cost in one region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def as_dict(cost: TokenCost) -> dict[str, object]:
    """As JSON documents have it; money is text."""
    figures = {"floorUsd": cost.floor, "expectedUsd": cost.expected, "peakUsd": cost.peak}
    return {
        "region": cost.region,
        "model": cost.model,
        **{key: None if usd is None else f"{usd:f}" for key, usd in figures.items()},
        "basis": cost.basis,
    }


HEAD = ("million output tokens of", "floor", "expected", "peak", "on")
"""Head of `rows`."""


def rows(costs: Iterable[TokenCost]) -> Iterator[tuple[str, ...]]:
    """What every form of a report shows; amounts in USD."""
    for one in costs:
        figures = ("-" if usd is None else f"{usd:,f}" for usd in (one.floor, one.expected, one.peak))
        yield (f"{one.model} in {one.region}", *figures, one.basis)

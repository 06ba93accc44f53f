"""How a sizing result came about, in a form that a program can read and a person can check by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Input:
    """One number that went into a figure."""

    name: str
    value: float | str
    unit: str = ""
    source: str = ""
    """Where it comes from: a key of the stack file, a catalogue row's source, or why it is assumed."""
    assumed: bool = False
    """Nobody declared or measured it: the text of `source` says why this value stands in."""

    def as_dict(self) -> dict[str, object]:
        """Fields in camelCase, for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "source": self.source,
            "assumed": self.assumed,
        }


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One result with everything it rests on."""

    name: str
    """What it is, such as "checkpoint interval"."""
    value: float | str
    unit: str
    formula: str
    """In the symbols of `inputs`."""
    source: str
    """Who published the formula, or the documentation behind the rule."""
    inputs: tuple[Input, ...] = ()
    note: str = ""
    """What the figure leaves out, in one sentence."""

    @property
    def assumed(self) -> bool:
        """Whether it rests on anything assumed."""
        return any(given.assumed for given in self.inputs)

    def as_dict(self) -> dict[str, object]:
        """Fields in camelCase, for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "formula": self.formula,
            "source": self.source,
            "inputs": [given.as_dict() for given in self.inputs],
            "note": self.note,
            "assumed": self.assumed,
        }


def shown(value: float | str) -> str:
    """A value as people read it: whole numbers with thousands apart, others to four significant digits."""
    if isinstance(value, str):
        return value
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return f"{value:.3g}"


def shown_share(part: float) -> str:
    """A part of a whole, from 0 to 1, in percent; rounded down, so that what falls short never reads as enough."""
    if 0 < part < 0.001:
        return "under 0.1 %"
    digits = 0 if 0.1 <= part < 0.99 else 1
    # 0.29 * 100 is 28.999…: what lies within float noise of the next step is that step.
    return f"{math.floor(part * 100 * 10**digits + 1e-9) / 10**digits:g} %"

"""An estimate as CSV: one row a charge, priced or not, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from gpufleet.cost.estimate import Estimate
from gpufleet.cost.lines import Line, Origin, Part, Unpriced
from gpufleet.cost.money import Bounds

_COLUMNS = (
    *("component", "pool", "region", "resource", "type", "category", "meter", "priority"),
    *("quantity_floor", "quantity_expected", "quantity_ceiling", "unit", "price_usd", "price_kind", "price_as_of"),
    *("monthly_usd_floor", "monthly_usd_expected", "monthly_usd_ceiling", "note"),
)


def sheet(estimate: Estimate) -> str:
    """The charges; an amount that nobody knows is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for part in estimate.parts:
        writer.writerow([_safe(cell) for cell in _cells(part)])
    return text.getvalue()


def _cells(part: Part) -> Iterator[str]:
    yield from _origin(part.origin)
    yield part.category.value if part.category else ""
    yield part.meter
    yield part.priority.value if part.priority else ""
    yield from ("", "", "") if part.quantity is None else _three(part.quantity)
    if isinstance(part, Line):
        rate = part.rate
        yield from (rate.unit, f"{rate.usd:f}", rate.kind.value, rate.as_of)
        yield from _three(part.amount.monthly)
        yield "; ".join(filter(None, (part.note, rate.note)))
    elif isinstance(part, Unpriced):
        yield from ("", "", "none", "", "", "", "", part.reason)


def _origin(origin: Origin) -> tuple[str, ...]:
    return origin.component, origin.pool, origin.region, origin.name, origin.type


def _three(bounds: Bounds) -> tuple[str, str, str]:
    return _number(bounds.floor), _number(bounds.expected), _number(bounds.ceiling)


def _number(number: Decimal) -> str:
    return f"{number:f}"


def _safe(cell: str) -> str:
    """Spreadsheets run cells that start like a formula (OWASP CSV injection); reasons are a person's free text."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell

"""The report as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from html import escape

from gpufleet.cost.allocated import HEAD as ALLOCATED_HEAD
from gpufleet.cost.allocated import Allocated
from gpufleet.cost.allocated import rows as allocated_rows
from gpufleet.cost.difference import CostDifference
from gpufleet.cost.economics import UnitCost
from gpufleet.cost.estimate import Estimate
from gpufleet.cost.lines import Amount
from gpufleet.cost.money import NOTHING, Bounds
from gpufleet.cost.rates import NoRate, PriceKind
from gpufleet.cost.render import view, words
from gpufleet.cost.spot_savings import SpotSaving
from gpufleet.cost.token_cost import HEAD as TOKENS_HEAD
from gpufleet.cost.token_cost import TokenCost
from gpufleet.cost.token_cost import rows as token_rows

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.part td:first-child { padding-left: 2rem; } tr.head { font-weight: 600; }
.verdict { padding: .6rem 1rem; border-left: .4rem solid; font-weight: 600; }
.within { border-color: #2a7d3c; } .over { border-color: #c0262d; } .gap { border-color: #b7791f; }
small { opacity: .75; }
"""
_BOUNDS = ("floor", "expected", "ceiling")


def page(
    estimate: Estimate,
    *,
    units: Sequence[UnitCost] = (),
    tokens: Sequence[TokenCost] = (),
    allocations: Sequence[Allocated] = (),
    savings: Sequence[SpotSaving] = (),
    difference: CostDifference | None = None,
) -> str:
    """The report; every text in it is escaped, and its content policy lets nothing run or load."""
    title = f"Cost of {estimate.environment}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *_body(
                estimate,
                units=units,
                tokens=tokens,
                allocations=allocations,
                savings=savings,
                difference=difference,
            ),
            "</body></html>",
        ]
    )


def _body(
    estimate: Estimate,
    *,
    units: Sequence[UnitCost],
    tokens: Sequence[TokenCost],
    allocations: Sequence[Allocated],
    savings: Sequence[SpotSaving],
    difference: CostDifference | None,
) -> Iterator[str]:
    yield f'<p class="verdict {estimate.verdict.value}">{escape(words.verdict(estimate))}</p>'
    if gap := words.gaps(estimate):
        yield f'<p class="verdict gap">{escape(gap)}</p>'
    if difference is not None:
        yield from _difference(difference)
    yield "<h2>Totals</h2>"
    yield from _table(("USD", *_BOUNDS), _totals(estimate))
    yield "<h2>Where it goes</h2>"
    yield from _table(("USD a month (730 h)", *_BOUNDS), _rows(estimate))
    if units:
        yield "<h2>Unit costs, at the expected use</h2>"
        yield from _table(("unit", "USD", "on"), _units(units), numbers=(1,))
    if tokens:
        yield "<h2>USD for a million output tokens</h2>"
        yield from _table(TOKENS_HEAD, (("", list(row)) for row in token_rows(tokens)))
    if allocations:
        yield "<h2>Models and teams</h2>"
        yield from _table(ALLOCATED_HEAD, (("", list(row)) for row in allocated_rows(allocations)))
    if savings:
        yield "<h2>What spot saves</h2>"
        yield from _table(
            view.SAVINGS_HEAD, (("", list(row)) for row in view.saving_rows(savings)), numbers=(1, 2, 3, 4)
        )
    for title, groups in (("Assumed prices", view.assumed(estimate)), ("Not priced", view.unpriced(estimate))):
        if groups:
            yield f"<h2>{title}</h2><ul>"
            yield from (f"<li>{_group(group)}</li>" for group in groups)
            yield "</ul>"
    for line in (*view.saving_lines(savings), *view.remarks(estimate)):
        yield f"<p>{escape(line)}</p>"
    yield f"<p><small>{escape(words.prices_of(estimate))}</small></p>"


def _totals(estimate: Estimate) -> Iterator[tuple[str, list[str]]]:
    yield "", ["an hour", *_three(estimate.total.hourly)]
    yield "head", ["a month (730 h)", *_three(estimate.total.monthly)]
    yield "", ["the longest month (744 h)", *_three(estimate.total.period)]
    for kind in (PriceKind.ASSUMED, PriceKind.NEGOTIATED):
        if (part := estimate.of_kind(kind).monthly) != NOTHING:
            yield "part", [f"of a month, at {kind.value} prices", *_three(part)]
    if view.has_spot(estimate):
        for label, amount in view.spot_rows(estimate):
            yield "part", [f"of a month, {label}", *_amounts(amount)]
        yield "", ["a month, all spot at the regular price", *_three(estimate.worst.monthly)]


def _rows(estimate: Estimate) -> Iterator[tuple[str, list[str]]]:
    for row in view.rows(estimate):
        label = row.label + (f": {row.what}" if row.what else "") + (f" ({row.region})" if not row.level else "")
        marks = (", assumed in part" if row.assumed else "") + (f", {row.gaps} not priced" if row.gaps else "")
        yield "part" if row.level else "head", [f"{label}{marks}", *_amounts(row.amount)]


def _units(units: Iterable[UnitCost]) -> Iterator[tuple[str, list[str]]]:
    for unit in units:
        usd = "-" if unit.usd is None else f"{unit.usd:,f}"
        yield "", [f"{unit.component}: {unit.unit}", usd, unit.basis]


def _difference(difference: CostDifference) -> Iterator[str]:
    yield f"<h2>Against {escape(difference.base)}</h2>"
    yield f"<p>{words.signed(difference.delta.monthly.ceiling)} a month at the ceiling</p>"
    changes = [
        ("", [one.component, *(words.signed(amount) for amount in _all(one.delta.monthly)), "; ".join(one.reasons)])
        for one in difference.changes
    ]
    yield from _table(("change, USD a month (730 h)", *_BOUNDS, "why"), changes)
    for rotation in difference.rotations:
        cost = (
            rotation.hourly.reason if isinstance(rotation.hourly, NoRate) else f"{words.usd(rotation.hourly)} an hour"
        )
        text = f"Rotation of {rotation.component}, pool {rotation.pool}: both run until drained, at most {cost} more"
        yield f"<p>{escape(text)}</p>"
    for part in difference.newly_unpriced:
        yield f"<p>{escape(f'No price any more, or new without one: {part.meter} ({part.origin.component})')}</p>"


def _table(
    head: Sequence[str], lines: Iterable[tuple[str, list[str]]], *, numbers: Sequence[int] = (1, 2, 3)
) -> Iterator[str]:
    cells = "".join(f"<th{_class(index, numbers)}>{escape(one)}</th>" for index, one in enumerate(head))
    yield f"<table><thead><tr>{cells}</tr></thead><tbody>"
    for style, line in lines:
        cells = "".join(f"<td{_class(index, numbers)}>{escape(one)}</td>" for index, one in enumerate(line))
        yield f'<tr class="{style}">{cells}</tr>' if style else f"<tr>{cells}</tr>"
    yield "</tbody></table>"


def _group(group: view.Group) -> str:
    amount = "" if group.monthly is None else f", {words.usd(group.monthly)} a month at the ceiling"
    return escape(f"{group.what} ({group.where}){amount}: {group.why}.{f' {group.fix}' if group.fix else ''}")


def _class(index: int, numbers: Sequence[int]) -> str:
    return ' class="n"' if index in numbers else ""


def _three(bounds: Bounds) -> list[str]:
    return [f"{one:,.2f}" for one in _all(bounds)]


def _amounts(amount: Amount | None) -> list[str]:
    return ["no price"] * 3 if amount is None else _three(amount.monthly)


def _all(bounds: Bounds) -> list[Decimal]:
    return [bounds.floor, bounds.expected, bounds.ceiling]

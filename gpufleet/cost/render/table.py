"""The report for a terminal: verdict first, then where the money goes, then what is not known for sure."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gpufleet.cost.allocated import HEAD as ALLOCATED_HEAD
from gpufleet.cost.allocated import Allocated
from gpufleet.cost.allocated import rows as allocated_rows
from gpufleet.cost.difference import CostDifference
from gpufleet.cost.economics import UnitCost
from gpufleet.cost.estimate import Estimate, Verdict
from gpufleet.cost.lines import Amount
from gpufleet.cost.money import NOTHING, Bounds
from gpufleet.cost.rates import NoRate, PriceKind
from gpufleet.cost.render import view, words
from gpufleet.cost.spot_savings import SpotSaving
from gpufleet.cost.token_cost import HEAD as TOKENS_HEAD
from gpufleet.cost.token_cost import TokenCost
from gpufleet.cost.token_cost import rows as token_rows

_STYLES = {Verdict.WITHIN: "bold green", Verdict.OVER: "bold red"}


def table(
    estimate: Estimate,
    *,
    units: Sequence[UnitCost] = (),
    tokens: Sequence[TokenCost] = (),
    allocations: Sequence[Allocated] = (),
    savings: Sequence[SpotSaving] = (),
    difference: CostDifference | None = None,
    width: int = 100,
    colour: bool = False,
) -> str:
    """The report as text.

    Args:
        estimate: what to show.
        units: unit costs below it.
        tokens: what a million tokens of each model cost, below these.
        allocations: what models and teams cost, below these.
        savings: what spot pools save, below these.
        difference: a comparison above it.
        width: columns to use.
        colour: with ANSI colours, for a terminal.
    """
    parts: list[RenderableType] = [
        Text(f"{estimate.environment}  {words.verdict(estimate)}", _STYLES[estimate.verdict])
    ]
    if gap := words.gaps(estimate):
        parts.append(Text(gap, "bold yellow"))
    if difference is not None:
        parts += ["", *_difference(difference)]
    parts += ["", _totals(estimate), "", _rows(estimate)]
    if units:
        parts += ["", _units(units)]
    if tokens:
        parts += ["", _table((f"USD for a {TOKENS_HEAD[0]}", *TOKENS_HEAD[1:]), token_rows(tokens))]
    if allocations:
        parts += ["", _table(ALLOCATED_HEAD, allocated_rows(allocations))]
    if savings:
        parts += ["", _savings(savings), *map(Text, view.saving_lines(savings))]
    parts += _notes(estimate)
    console = Console(
        file=io.StringIO(),
        width=width,
        highlight=False,
        markup=False,  # cells hold text of the stack file
        emoji=False,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    with console.capture() as capture:
        console.print(Group(*parts))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _totals(estimate: Estimate) -> Table:
    grid = _grid("USD", "floor", "expected", "ceiling")
    total = estimate.total
    grid.add_row("an hour", *_three(total.hourly))
    grid.add_row("a month (730 h)", *_three(total.monthly), style="bold")
    grid.add_row("the longest month (744 h)", *_three(total.period))
    for kind in (PriceKind.ASSUMED, PriceKind.NEGOTIATED):
        if (part := estimate.of_kind(kind).monthly) != NOTHING:
            grid.add_row(f"  of a month, at {kind.value} prices", *_three(part))
    if view.has_spot(estimate):
        for label, amount in view.spot_rows(estimate):
            grid.add_row(f"  of a month, {label}", *_amounts(amount))
        grid.add_row("a month, all spot at the regular price", *_three(estimate.worst.monthly))
    return grid


def _rows(estimate: Estimate) -> Table:
    grid = _grid("USD a month (730 h)", "floor", "expected", "ceiling", "")
    for row in view.rows(estimate, compact=True):
        label = f"{'  ' * row.level}{row.label}" + (f": {row.what}" if row.what else "")
        place = f"  {row.region}" if not row.level else ""
        marks = ("~" if row.assumed else " ") + (f" !{row.gaps}" if row.gaps else "")
        grid.add_row(f"{label}{place}", *_amounts(row.amount), marks, style="bold" if not row.level else "")
    return grid


def _units(units: Iterable[UnitCost]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="bold")
    grid.add_column("unit cost, at the expected use", overflow="fold")
    grid.add_column("USD", justify="right", no_wrap=True)
    grid.add_column("on", overflow="fold")
    for unit in units:
        grid.add_row(f"{unit.component}: {unit.unit}", "-" if unit.usd is None else _money(unit.usd), unit.basis)
    return grid


def _savings(savings: Iterable[SpotSaving]) -> Table:
    return _table(view.SAVINGS_HEAD, view.saving_rows(savings))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Words in the first and the last column, amounts between them."""
    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="bold")
    first, *amounts, last = head
    grid.add_column(first, overflow="fold")
    for amount in amounts:
        grid.add_column(amount, justify="right", no_wrap=True)
    grid.add_column(last, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _difference(difference: CostDifference) -> list[RenderableType]:
    delta = difference.delta.monthly
    head = f"Against {difference.base}: {words.signed(delta.ceiling)} a month at the ceiling"
    if not difference.changes and not difference.newly_unpriced and not difference.newly_priced:
        return [Text(f"Against {difference.base}: the same", "bold")]
    grid = _grid("change, USD a month (730 h)", "floor", "expected", "ceiling")
    for change in difference.changes:
        amounts = change.delta.monthly
        grid.add_row(
            change.component, *(words.signed(one) for one in (amounts.floor, amounts.expected, amounts.ceiling))
        )
        for reason in change.reasons:
            grid.add_row(Text(f"  {reason}", "dim"), "", "", "")
    parts: list[RenderableType] = [Text(head, "bold"), grid]
    for rotation in difference.rotations:
        cost = (
            rotation.hourly.reason if isinstance(rotation.hourly, NoRate) else f"{words.usd(rotation.hourly)} an hour"
        )
        text = f"Rotation of {rotation.component}, pool {rotation.pool}: {', '.join(rotation.gone)} beside"
        parts.append(Text(f"{text} {', '.join(rotation.new)} until drained, at most {cost} more"))
    parts += [
        Text(f"No price any more, or new without one: {part.meter} ({part.origin.component})")
        for part in difference.newly_unpriced
    ]
    parts += [Text(f"Had no price before: {part.meter} ({part.origin.component})") for part in difference.newly_priced]
    return parts


def _notes(estimate: Estimate) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if lines := view.assumed_lines(estimate):
        parts += ["", Text("~ assumed: no list price of the region is known", "bold"), *map(_item, lines)]
    if lines := view.unpriced_lines(estimate):
        parts += ["", Text("! not priced", "bold yellow"), *map(_item, lines)]
    parts += ["", *(Text(line) for line in view.remarks(estimate))]
    parts.append(Text(words.prices_of(estimate), "dim"))
    return parts


def _item(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2))


def _grid(first: str, *others: str) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), expand=False, header_style="bold")
    grid.add_column(first, overflow="fold")
    for other in others:
        grid.add_column(other, justify="right" if other else "left", no_wrap=True)
    return grid


def _three(bounds: Bounds) -> tuple[str, str, str]:
    return _money(bounds.floor), _money(bounds.expected), _money(bounds.ceiling)


def _amounts(amount: Amount | None) -> tuple[str, str, str]:
    return ("no price", "no price", "no price") if amount is None else _three(amount.monthly)


def _money(amount: Decimal) -> str:
    return f"{amount:,.4f}" if amount.as_tuple().exponent == -4 else f"{amount:,.2f}"

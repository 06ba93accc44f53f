"""The report for a pull request: verdict, difference and totals visible, the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gpufleet.cost.allocated import HEAD as ALLOCATED_HEAD
from gpufleet.cost.allocated import Allocated
from gpufleet.cost.allocated import rows as allocated_rows
from gpufleet.cost.difference import CostDifference
from gpufleet.cost.economics import UnitCost
from gpufleet.cost.estimate import Estimate, Verdict
from gpufleet.cost.money import NOTHING, Bounds
from gpufleet.cost.rates import NoRate, PriceKind
from gpufleet.cost.render import view, words
from gpufleet.cost.spot_savings import SpotSaving
from gpufleet.cost.token_cost import HEAD as TOKENS_HEAD
from gpufleet.cost.token_cost import TokenCost
from gpufleet.cost.token_cost import rows as token_rows

_ESCAPES = {ord(sign): f"&#{ord(sign)};" for sign in "&\\`*_{}[]<>|@#~"}


def markdown(
    estimate: Estimate,
    *,
    units: Sequence[UnitCost] = (),
    tokens: Sequence[TokenCost] = (),
    allocations: Sequence[Allocated] = (),
    savings: Sequence[SpotSaving] = (),
    difference: CostDifference | None = None,
) -> str:
    """The report in GitHub's markdown; text of the stack file in it is escaped."""
    mark = "✅" if estimate.verdict is Verdict.WITHIN else "❌"
    lines = [f"### {mark} Cost of {escaped(estimate.environment)}", "", f"**{escaped(words.verdict(estimate))}**", ""]
    if gap := words.gaps(estimate):
        lines += [f"⚠️ **{gap}**", ""]
    if difference is not None:
        lines += [*_difference(difference), ""]
    lines += [*_totals(estimate), ""]
    lines += _folded("Where it goes", _rows(estimate))
    if units:
        lines += _folded("Unit costs, at the expected use", _units(units))
    if tokens:
        lines += _folded("USD for a million output tokens", _amount_rows(TOKENS_HEAD, token_rows(tokens)))
    if allocations:
        lines += _folded("Models and teams", _amount_rows(ALLOCATED_HEAD, allocated_rows(allocations)))
    if savings:
        lines += _folded("What spot saves", _savings(savings))
    if assumed := view.assumed(estimate):
        lines += _folded(f"Assumed prices ({len(assumed)})", _groups(assumed))
    if unpriced := view.unpriced(estimate):
        lines += _folded(f"Not priced ({len(estimate.unpriced)})", _groups(unpriced))
    lines += [escaped(line) + "\n" for line in (*view.saving_lines(savings), *view.remarks(estimate))]
    lines.append(f"<sub>{escaped(words.prices_of(estimate))}</sub>")
    return "\n".join(lines) + "\n"


def _totals(estimate: Estimate) -> Iterator[str]:
    yield from _head("USD", "floor", "expected", "ceiling")
    yield _row("an hour", estimate.total.hourly)
    yield _row("**a month (730 h)**", estimate.total.monthly)
    yield _row("the longest month (744 h)", estimate.total.period)
    for kind in (PriceKind.ASSUMED, PriceKind.NEGOTIATED):
        if (part := estimate.of_kind(kind).monthly) != NOTHING:
            yield _row(f"of a month, at {kind.value} prices", part)
    if view.has_spot(estimate):
        for label, amount in view.spot_rows(estimate):
            yield _row(f"of a month, {label}", None if amount is None else amount.monthly)
        yield _row("a month, all spot at the regular price", estimate.worst.monthly)


def _rows(estimate: Estimate) -> Iterator[str]:
    yield from _head("USD a month (730 h)", "floor", "expected", "ceiling")
    for row in view.rows(estimate):
        label = escaped(row.label + (f": {row.what}" if row.what else ""))
        place = f" ({row.region})" if not row.level else ""
        marks = (" *assumed in part*" if row.assumed else "") + (f" ⚠️ {row.gaps} not priced" if row.gaps else "")
        label = f"**{label}**{place}{marks}" if not row.level else f"&emsp;{label}{marks}"
        yield _row(label, None if row.amount is None else row.amount.monthly)


def _units(units: Iterable[UnitCost]) -> Iterator[str]:
    yield "| unit | USD | on |"
    yield "|---|---:|---|"
    for unit in units:
        usd = "-" if unit.usd is None else f"{unit.usd:,f}"
        yield f"| {escaped(unit.component)}: {escaped(unit.unit)} | {usd} | {escaped(unit.basis)} |"


def _amount_rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Words in the first and the last column, amounts between them."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 2)}---|"
    for row in rows:
        yield f"| {' | '.join(map(escaped, row))} |"


def _savings(savings: Iterable[SpotSaving]) -> Iterator[str]:
    yield f"| {' | '.join(view.SAVINGS_HEAD)} |"
    yield "|---|---:|---:|---:|---:|---|"
    for row in view.saving_rows(savings):
        yield f"| {' | '.join(map(escaped, row))} |"


def _groups(groups: Iterable[view.Group]) -> Iterator[str]:
    for group in groups:
        amount = "" if group.monthly is None else f", {words.usd(group.monthly)} a month at the ceiling"
        fix = f" {group.fix}" if group.fix else ""
        yield f"- {escaped(group.what)} ({escaped(group.where)}){amount}: {escaped(group.why)}.{escaped(fix)}"


def _difference(difference: CostDifference) -> Iterator[str]:
    base = escaped(difference.base)
    if not difference.changes and not difference.newly_unpriced and not difference.newly_priced:
        yield f"Against {base}: the same."
        return
    yield f"Against {base}: **{words.signed(difference.delta.monthly.ceiling)}** a month at the ceiling"
    yield ""
    yield from _head("change, USD a month (730 h)", "floor", "expected", "ceiling", "why")
    for change in difference.changes:
        amounts = change.delta.monthly
        cells = [words.signed(one) for one in (amounts.floor, amounts.expected, amounts.ceiling)]
        reasons = "<br>".join(escaped(reason) for reason in change.reasons)
        yield f"| {escaped(change.component)} | {' | '.join(cells)} | {reasons} |"
    yield ""
    for rotation in difference.rotations:
        cost = (
            rotation.hourly.reason if isinstance(rotation.hourly, NoRate) else f"{words.usd(rotation.hourly)} an hour"
        )
        yield f"- rotation of {rotation.component}, pool {rotation.pool}: both run until drained, at most {cost} more"
    for part in difference.newly_unpriced:
        yield f"- ⚠️ no price any more, or new without one: {escaped(part.meter)} ({escaped(part.origin.component)})"
    for part in difference.newly_priced:
        yield f"- had no price before: {escaped(part.meter)} ({escaped(part.origin.component)})"


def _folded(title: str, lines: Iterable[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>", ""]


def _head(first: str, *others: str) -> Iterator[str]:
    yield f"| {first} | {' | '.join(others)} |"
    yield f"|---|{'|'.join('---' if other == 'why' else '---:' for other in others)}|"


def _row(label: str, bounds: Bounds | None) -> str:
    cells = (
        ["no price"] * 3
        if bounds is None
        else [f"{one:,.2f}" for one in (bounds.floor, bounds.expected, bounds.ceiling)]
    )
    return f"| {label} | {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Plain text in markdown: nothing of it is markup, a mention or a cell border."""
    return " ".join(text.translate(_ESCAPES).split())

"""The report on one screen: the verdict, what to do, the cost, then every finding, the worst first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from gpufleet.check.finding import Finding, Level, Since, Verdict
from gpufleet.check.report import Comparison, Report
from gpufleet.cost import Estimate, PriceKind
from gpufleet.cost.money import HOURS_PER_MONTH, HOURS_PER_PERIOD
from gpufleet.cost.render.words import percent, usd
from gpufleet.plural import plural
from gpufleet.report.groups import Groups
from gpufleet.report.words import (
    change_of_cost,
    delta_of,
    largest_first,
    limits_of,
    one_line,
    sentence,
    tally,
    waived_by,
)

if TYPE_CHECKING:
    from gpufleet.outlook import Outlook

_MOST: Final = 10
"""Of what to do, of warnings and of notes, so that the report stays on one screen. Errors are all shown."""
_NARROWEST: Final = 40

# ANSI: Select Graphic Rendition (ECMA-48, 8.3.117).
_BOLD, _RED, _GREEN, _YELLOW, _DIM = "1", "1;31", "1;32", "1;33", "2"
_OF_VERDICT: Final = {Verdict.PASS: _GREEN, Verdict.FAIL: _RED, Verdict.UNDECIDED: _YELLOW}
_OF_LEVEL: Final = {Level.ERROR: _RED, Level.WARNING: _YELLOW, Level.NOTE: _DIM}


def text(reports: Sequence[Report], *, width: int = 100, colour: bool = False) -> str:
    """The reports, one below the other.

    Args:
        reports: what to show.
        width: columns to use; below 40 lines get longer than that.
        colour: with ANSI colours, for a terminal.
    """
    pen = _Pen(colour=colour)
    return "\n".join("\n".join(_report(report, max(width, _NARROWEST), pen)) + "\n" for report in reports)


def _report(report: Report, width: int, pen: _Pen) -> Iterator[str]:
    groups = Groups.of(report)
    yield headline(report, pen)
    if failing := [finding for finding in groups.active if report.fails(finding)]:
        yield from ("", pen.paint("What to do", _BOLD), *_to_do(failing, width))
    if report.comparison is not None:
        yield from ("", *_comparison(report.comparison, width, pen))
    if report.estimate is not None:
        yield from ("", *_cost(report.estimate, width, pen))
    if report.outlook is not None:
        yield from ("", *_outlook(report.outlook, width, pen))
    if limits := limits_of(report):
        yield from ("", *_wrapped("", limits, width))
    for level in Level:
        if found := [finding for finding in groups.active if finding.level is level]:
            yield from ("", *_findings(plural(len(found), level.value), level, found, width, pen))
    yield from _others(groups, width, pen)


def _others(groups: Groups, width: int, pen: _Pen) -> Iterator[str]:
    """What fails nothing, and what is gone."""
    for title, found in (("existing, in the base too", groups.existing), ("waived", groups.waived)):
        if found:
            yield from ("", *_findings(f"{len(found):,} {title}", Level.NOTE, found, width, pen))
    if not groups.fixed:
        return
    yield from ("", pen.paint(f"{len(groups.fixed):,} fixed", _GREEN))
    for finding in groups.fixed[:_MOST]:
        yield from _wrapped("  - ", f"{finding.label or finding.key}: {finding.message}  [{finding.rule}]", width)
    if len(groups.fixed) > _MOST:
        yield f"  and {len(groups.fixed) - _MOST:,} more in --format json"


def headline(report: Report, pen: _Pen | None = None) -> str:
    """The verdict on one line: `prod  PASS: 17 rules passed, 1 warning`."""
    pen = pen or _Pen(colour=False)
    groups = Groups.of(report)
    found = tally(groups)
    passed = [f"{plural(len(report.passed), 'rule')} passed"] if report.passed else []
    parts = [*found, *passed] if report.verdict is not Verdict.PASS else [*passed, *found]
    if report.estimate is not None and report.estimate.unpriced:
        parts.append(f"{plural(len(report.estimate.unpriced), 'charge')} NOT PRICED")
    name = one_line(report.environment)
    return f"{name}  {pen.paint(report.verdict.name, _OF_VERDICT[report.verdict])}: {', '.join(parts)}"


class _Pen:
    """Paints, or doesn't."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and text else text


def _to_do(failing: Sequence[Finding], width: int) -> Iterator[str]:
    """One line for each different thing to do, with the first place that asks for it."""
    places: dict[str, list[Finding]] = {}
    for finding in failing:
        places.setdefault(finding.fix or f"Correct this: {finding.message}", []).append(finding)
    for number, (fix, found) in enumerate(list(places.items())[:_MOST], start=1):
        key = f"{found[0].key}: " if found[0].key else ""
        where = f" ({_where(found)})" if _where(found) else ""
        yield from _wrapped(f"{number:>3}. ", f"{key}{sentence(fix)}{where}", width)
    if len(places) > _MOST:
        yield f"     and {len(places) - _MOST:,} more, with the findings below"


def _cost(estimate: Estimate, width: int, pen: _Pen) -> Iterator[str]:
    total, rows = estimate.total, []
    for label, amount in (
        ("an hour", total.hourly),
        (f"a month ({HOURS_PER_MONTH:f} h)", total.monthly),
        (f"the longest month ({HOURS_PER_PERIOD:f} h)", total.period),
    ):
        rows.append((label, *(f"{_cents(one):,}" for one in (amount.floor, amount.expected, amount.ceiling))))
    if estimate.budget:
        period = total.period
        shares = (percent(one, estimate.budget) for one in (period.floor, period.expected, period.ceiling))
        rows.append((f"  of the budget, {usd(estimate.budget)}", *shares))
    head = ("Cost, USD", "floor", "expected", "ceiling")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(4)]
    for row in (head, *rows):
        cells = [row[0].ljust(widths[0]), *(row[column].rjust(widths[column]) for column in range(1, 4))]
        yield pen.paint("  ".join(cells), _BOLD) if row is head else "  ".join(cells)
    yield from _wrapped("", _basis(estimate), width)


_OUTLOOK_COLUMNS: Final = 6
"""Of a state's row; quotas and latency are in `remarks`, or in the other forms."""


def _outlook(outlook: Outlook, width: int, pen: _Pen) -> Iterator[str]:
    """Each state on a line, or on a few where the terminal is narrow; then the day."""
    from gpufleet.outlook import words as outlook_words  # noqa: PLC0415 most environments serve nothing

    head = outlook_words.LOSS_HEAD[:_OUTLOOK_COLUMNS]
    rows = [row[:_OUTLOOK_COLUMNS] for row in outlook_words.loss_rows(outlook)]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    if rows and sum(widths) + 2 * len(widths) <= width:
        for row in (head, *rows):
            line = "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
            yield pen.paint(line, _BOLD) if row is head else one_line(line)
    else:
        for row in rows:
            cells = (f"{name} {cell}" for name, cell in zip(head[1:], row[1:], strict=True))
            yield from _wrapped("", f"With {row[0]} lost: {'; '.join(cells)}", width)
    yield from _wrapped("", sentence(outlook_words.day_line(outlook)), width)
    for remark in outlook_words.remarks(outlook):
        yield from _wrapped("  - ", sentence(remark), width)


def _basis(estimate: Estimate) -> str:
    """What the sums rest on."""
    oldest, newest = estimate.dates()
    dates = f"Prices of {oldest}" if oldest == newest else f"Prices of {oldest} to {newest}"
    kinds = {kind: sum(line.rate.kind is kind for line in estimate.lines) for kind in PriceKind}
    parts = [dates if newest else "No list price was used", f"{plural(len(estimate.lines), 'charge')} priced"]
    parts += [
        f"{kinds[kind]:,} at {kind.value} prices" for kind in PriceKind if kind is not PriceKind.LIST and kinds[kind]
    ]
    parts.append(f"{len(estimate.unpriced):,} NOT PRICED" if estimate.unpriced else "0 unpriced")
    return f"{'; '.join(parts)}. The gate is the {estimate.gate.value}. `gpufleet cost` shows each."


def _comparison(comparison: Comparison, width: int, pen: _Pen) -> Iterator[str]:
    """The cost of a change at the gate's bound, and its reasons."""
    yield pen.paint(f"Against {one_line(comparison.base)}", _BOLD)
    if comparison.problem:
        yield from _wrapped("  ", sentence(comparison.problem), width)
    if comparison.cost is None:
        yield "  one of the two has no cost, so none is compared"
        return
    yield from _wrapped("  ", change_of_cost(comparison.cost), width)
    for change in largest_first(comparison.cost)[:_MOST]:
        reasons = f": {'; '.join(change.reasons)}" if change.reasons else ""
        yield from _wrapped("  - ", f"{change.component} {delta_of(change, comparison.cost)}{reasons}", width)
    if len(comparison.cost.changes) > _MOST:
        yield f"  and {len(comparison.cost.changes) - _MOST:,} more in --format json"


def _findings(title: str, level: Level, findings: Sequence[Finding], width: int, pen: _Pen) -> Iterator[str]:
    """Every error; of the rest, those that say the same of several places once."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        alike = (number,) if level is Level.ERROR else (finding.rule, finding.message, finding.fix)
        groups.setdefault(alike, []).append(finding)
    shown = list(groups.values())[: None if level is Level.ERROR else _MOST]
    yield pen.paint(title, _OF_LEVEL[level])
    for found in shown:
        yield from _finding(found, width)
    if hidden := len(findings) - sum(len(found) for found in shown):
        yield f"  and {hidden:,} more in --format json"


def _finding(found: Sequence[Finding], width: int) -> Iterator[str]:
    first = found[0]
    mark = "?" if first.verdict is Verdict.UNDECIDED else "-"
    # What stands first on its line can be clicked in an editor's terminal.
    worse = ", worse than in the base" if first.since is Since.WORSENED else ""
    yield one_line(f"  {mark} {_where(found) or first.resource}  [{first.rule}{worse}]")
    fix = f" {sentence(first.fix)}" if first.fix else ""
    reference = f" [{first.reference}]" if first.reference else ""
    yield from _wrapped("    ", f"{sentence(first.said)}{fix}{reference}", width)
    if first.waiver is not None:
        yield from _wrapped("    ", waived_by(first.waiver), width)


def _where(found: Sequence[Finding]) -> str:
    place = str(found[0].place or "")
    more = len(found) - 1
    return f"{place} and {more:,} more" if place and more else place


def _wrapped(lead: str, text: str, width: int) -> Iterable[str]:
    return textwrap.wrap(
        one_line(text),
        width=width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)

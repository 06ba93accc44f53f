"""An estimate as rows: what the table, the page and the markdown show alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from gpufleet.cost.charge import Category
from gpufleet.cost.estimate import Estimate, total
from gpufleet.cost.lines import Amount, Line, Overlap, Part, Unpriced
from gpufleet.cost.money import ZERO
from gpufleet.cost.pricers.context import UNDECLARED
from gpufleet.cost.rates import NoRate, PriceKind
from gpufleet.cost.render.words import exact, quantity, unit_price, usd
from gpufleet.cost.spot_savings import SpotSaving
from gpufleet.plural import plural
from gpufleet.spec.base import Priority

_Part = TypeVar("_Part", Line, Unpriced, Overlap)
_Key = TypeVar("_Key")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        level: 0 for a component, 1 for a part of it.
        label: `training lab`, `pool h100`, `storage`.
        what: what it is, `2 to 8 × NC80adis_H100_v5, spot, $6.98/h`.
        amount: None where nothing of it has a price.
        assumed: whether a part of the amount is assumed.
        gaps: charges of it that have no price.
    """

    level: int
    label: str
    what: str
    region: str
    amount: Amount | None
    assumed: bool
    gaps: int


@dataclass(frozen=True)
class Group:
    """Charges that have the same to be said of them.

    Attributes:
        what: the meter.
        where: components, in words.
        monthly: at the ceiling; None where it has no price.
        why: reason of the price or of its absence.
        fix: what to do.
        borrowed: whether the price is another region's list price.
    """

    what: str
    where: str
    monthly: Decimal | None
    why: str
    fix: str
    borrowed: bool = False


def rows(estimate: Estimate, *, compact: bool = False) -> list[Row]:
    """Components, the dearest first, each followed by its pools and the rest by category.

    Args:
        estimate: what to show.
        compact: with the rest in one row, and none for a component that has nothing else.
    """
    names = {part.origin.component for part in estimate.parts}
    found = [(name, total(line for line in estimate.lines if line.origin.component == name)) for name in names]
    result: list[Row] = []
    for name, amount in sorted(found, key=lambda one: (-one[1].monthly.ceiling, one[0])):
        parts = [part for part in estimate.parts if part.origin.component == name]
        result.append(_row(0, name, "", parts, amount))
        result.extend(_compact(parts) if compact else _parts(parts))
    return result


def spot_rows(estimate: Estimate) -> list[tuple[str, Amount | None]]:
    """Nodes at the regular price, at spot prices, everything else; None where nothing of it has a price."""
    return [
        ("regular nodes", estimate.of_priority(Priority.REGULAR)),
        ("spot nodes", estimate.of_priority(Priority.SPOT)),
        ("everything else", estimate.of_priority(None)),
    ]


SAVINGS_HEAD = ("spot, USD a month (730 h) at the expected use", "regular", "spot", "lost work", "net saving", "on")
"""Columns of `saving_rows`."""


def saving_rows(savings: Iterable[SpotSaving]) -> list[tuple[str, ...]]:
    """What each spot pool saves; `unknown` for what nobody can tell, and a `~` where it rests on an assumption."""
    rows = []
    for one in savings:
        amounts = (one.regular, one.spot, one.lost, one.net)
        label = f"{one.component}: pool {one.pool}{' ~' if one.assumed else ''}"
        rows.append((label, *("unknown" if amount is None else f"{amount:,.2f}" for amount in amounts), one.basis))
    return rows


def saving_lines(savings: Sequence[SpotSaving]) -> list[str]:
    """The sum of what is known, and how many pools are not in it."""
    known = [one.net for one in savings if one.net is not None]
    if not savings:
        return []
    text = f"Spot is expected to save {usd(sum(known, ZERO))} a month net of lost work" if known else ""
    missing = len(savings) - len(known)
    if not missing:
        return [f"{text}."]
    rest = f"of {plural(missing, 'spot pool')} nobody can tell the net saving"
    return [f"{text}; {rest}." if text else f"{rest[0].upper()}{rest[1:]}."]


def has_spot(estimate: Estimate) -> bool:
    """Whether any pool is spot, priced or not."""
    return any(part.priority is Priority.SPOT for part in estimate.parts)


def assumed(estimate: Estimate) -> list[Group]:
    """Every assumed price with its reason, the dearest first."""
    lines = [line for line in estimate.lines if line.rate.kind is PriceKind.ASSUMED]
    groups = _grouped(
        lines,
        lambda line: (f"{line.meter}, {unit_price(line.rate)}", line.rate.note, line.rate.price.elsewhere),
    )
    found = [
        Group(what, _where(members), _ceiling(members), why, "", borrowed) for (what, why, borrowed), members in groups
    ]
    return sorted(found, key=lambda group: (-(group.monthly or ZERO), group.what))


def assumed_lines(estimate: Estimate) -> list[str]:
    """The same in words: each planning price, and the list prices of other regions in one line."""
    groups = assumed(estimate)
    lines = [
        f"{one.what} ({one.where}): {usd(one.monthly or ZERO)} a month at the ceiling; {one.why}"
        for one in groups
        if not one.borrowed
    ]
    if borrowed := [one for one in groups if one.borrowed]:
        amount = usd(sum((one.monthly or ZERO for one in borrowed), ZERO))
        meters = ", ".join(dict.fromkeys(one.what.rsplit(", ", 1)[0] for one in borrowed))
        lines.append(f"list prices of other regions, none known here: {amount} a month at the ceiling; {meters}")
    return lines


def unpriced(estimate: Estimate) -> list[Group]:
    """Everything without a price, alike ones together, in the order of the words."""
    groups = _grouped(estimate.unpriced, lambda part: (part.meter, part.fix or part.reason))
    return sorted(
        (Group(what, _where(members), None, members[0].reason, members[0].fix) for (what, _), members in groups),
        key=lambda group: (group.what, group.why),
    )


def unpriced_lines(estimate: Estimate) -> list[str]:
    """The same in words; volumes that the stack file could declare in one line."""
    groups = unpriced(estimate)
    lines = [
        f"{one.what} ({one.where}): {one.why}." + (f" {one.fix}" if one.fix else "")
        for one in groups
        if one.why != UNDECLARED
    ]
    if undeclared := [one for one in groups if one.why == UNDECLARED]:
        fixes = ", ".join(dict.fromkeys(one.fix.removeprefix("Declare ") for one in undeclared))
        lines.append(f"{UNDECLARED}: {'; '.join(one.what for one in undeclared)}. Declare {fixes}")
    return lines


def remarks(estimate: Estimate) -> list[str]:
    """What else a reader should know, in words: undeclared use, overlaps, planning prices that nothing needed."""
    return [*_undeclared_use(estimate), *_overlap_lines(estimate), *(f"Not used: {text}" for text in estimate.unused)]


def _undeclared_use(estimate: Estimate) -> list[str]:
    pools = {
        f"{part.origin.component}, {part.origin.pool}"
        for part in estimate.parts
        if part.category is Category.COMPUTE and part.quantity and part.quantity.floor < part.quantity.ceiling
        if (load := estimate.loads.get((part.origin.component.partition(" ")[2], part.origin.pool))) is not None
        if not load.declared
    }
    return [f"No use is declared, so expected is the maximum: {'; '.join(sorted(pools))}."] if pools else []


def _overlap_lines(estimate: Estimate) -> list[str]:
    surge = [one for one in estimate.overlaps if one.kind == "surge"]
    rotation = [one for one in estimate.overlaps if one.kind == "rotation"]
    lines = []
    if surge:
        nodes = sum(one.nodes for one in surge)
        lines.append(f"Upgrades of all pools at once add {plural(nodes, 'node')}: {_hourly(surge)} while they last.")
    pools = _grouped(rotation, lambda one: (one.origin.component, one.origin.pool))
    if pools:
        (component, pool), members = max(pools, key=lambda found: _known(found[1]))
        lines.append(
            f"Rotating a pool runs the old beside the new: at most {_hourly(members)} on top"
            f" ({component}, pool {pool}, {plural(sum(one.nodes for one in members), 'node')})."
        )
    return lines


def _known(some: Iterable[Overlap]) -> Decimal:
    return sum((one.hourly for one in some if isinstance(one.hourly, Decimal)), ZERO)


def _hourly(some: Sequence[Overlap]) -> str:
    text = f"{usd(_known(some))} an hour"
    without = sum(isinstance(one.hourly, NoRate) for one in some)
    return f"{text} and what {plural(without, 'pool')} without a price would cost" if without else text


def _compact(parts: Sequence[Part]) -> Iterable[Row]:
    pools = [row for row in _parts(parts) if row.label.startswith("pool ")]
    rest = [part for part in parts if not part.origin.pool]
    if not pools:
        return []
    categories = dict.fromkeys(
        ("system pool" if part.category is Category.COMPUTE else part.category.value) if part.category else "unknown"
        for part in sorted(rest, key=lambda part: list(Category).index(part.category) if part.category else 99)
    )
    return [*pools, _row(1, ", ".join(categories), "", rest)] if rest else pools


def _ceiling(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount.monthly.ceiling for line in lines), ZERO)


def _parts(parts: Sequence[Part]) -> Iterable[Row]:
    for pool in sorted({part.origin.pool for part in parts} - {""}):
        own = [part for part in parts if part.origin.pool == pool]
        nodes = [part for part in own if part.category is Category.COMPUTE]
        yield _row(1, f"pool {pool}", _nodes(nodes), own)
    rest = [part for part in parts if not part.origin.pool]
    for category in [*Category, None]:
        own = [part for part in rest if part.category is category]
        if not own:
            continue
        if category is Category.COMPUTE:
            yield _row(1, "system pool", _nodes(own), own)
        else:
            yield _row(1, category.value if category else "types of resources that nobody priced", "", own)


def _nodes(parts: Iterable[Part]) -> str:
    """`8 to 64 × ND96isr_H100_v5, $98.32/h`, agent pools of one pool together."""
    found = list(parts)
    if not found:
        return ""
    meter = found[0].meter.removeprefix("Standard_").replace(" regular", "").replace(" spot", ", spot")
    quantities = [part.quantity for part in found if part.quantity is not None]
    least = sum((bounds.floor for bounds in quantities), ZERO)
    most = sum((bounds.ceiling for bounds in quantities), ZERO)
    nodes = quantity(most) if least == most else f"{quantity(least)} to {quantity(most)}"
    first = found[0]
    price = f"{exact(first.rate.usd)}/h" if isinstance(first, Line) else "no price"
    return f"{nodes} × {meter}, {price}"


def _row(level: int, label: str, what: str, parts: Sequence[Part], amount: Amount | None = None) -> Row:
    lines = [part for part in parts if isinstance(part, Line)]
    return Row(
        level=level,
        label=label,
        what=what,
        region=", ".join(sorted({part.origin.region for part in parts} - {"global"})) or "global",
        amount=(amount or total(lines)) if lines else None,
        assumed=any(line.rate.kind is PriceKind.ASSUMED for line in lines),
        gaps=len(parts) - len(lines),
    )


def _grouped(parts: Iterable[_Part], key: Callable[[_Part], _Key]) -> list[tuple[_Key, list[_Part]]]:
    found: dict[_Key, list[_Part]] = {}
    for part in parts:
        found.setdefault(key(part), []).append(part)
    return list(found.items())


def _where(parts: Iterable[Part]) -> str:
    return ", ".join(dict.fromkeys(sorted(part.origin.component for part in parts)))

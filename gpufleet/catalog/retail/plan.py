"""What a refresh would change, and what about it is too odd to believe without a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gpufleet.catalog import sizes
from gpufleet.catalog.retail.meters import Key, Meters

SOURCE = "RETAIL"
"""Key of the Azure Retail Prices API in the table of sources (data/README.md)."""

_WINDOWS_USD_PER_VCPU_HOUR = Decimal("0.046")
"""What Windows adds to a size (data/README.md, Windows meters)."""
_JUMP = 3
_OF_A_PRICE = ("usd_per_hour", "as_of", "source", "confidence")

Cells = Mapping[str, str]


class Objection(StrEnum):
    """A reason not to believe the new prices; `--accept` takes them all the same."""

    VANISHED = "vanished"
    """A size had prices and has none now."""
    FEWER = "fewer"
    """Fewer than half of the prices are left."""
    JUMP = "jump"
    """A price is three times what it was, or a third."""
    ZERO = "zero"
    """A price became $0."""
    WINDOWS = "windows"
    """A price rose by just what Windows costs."""
    AMBIGUOUS = "ambiguous"
    """Several meters of one day, and no way to tell which holds. Accepted: the old price stays."""
    SPOT_NOT_BELOW = "spot-not-below"
    """A spot price at or above the regular one: one of the two is something else."""


class ChangeKind(StrEnum):
    """What happened to a price."""

    ADDED = "added"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One price that is not what it was; USD an hour, None where there is none."""

    kind: ChangeKind
    size: str
    region: str
    spot: bool
    old: Decimal | None
    new: Decimal | None

    @property
    def percent(self) -> Decimal | None:
        """Change in percent, None unless there are two prices to compare."""
        if self.old is None or self.new is None:
            return None
        return (self.new / self.old - 1) * 100


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One objection and what it is about."""

    objection: Objection
    text: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The new price list and how it differs from the one in use.

    Attributes:
        rows: all its lines in the columns of a price list, sorted by size and region.
        changes: sorted by size, region and priority.
        unchanged: prices that stay.
        doubts: what is odd.
    """

    rows: tuple[Cells, ...]
    changes: tuple[Change, ...]
    unchanged: int
    doubts: tuple[Doubt, ...]


def plan(old: Iterable[Cells], meters: Meters, *, sizes: Collection[str], regions: Collection[str], day: date) -> Plan:
    """Compare fetched meters with the price list in use.

    Args:
        old: lines of the price list in use.
        meters: what the API has.
        sizes: what was asked for; lines of other sizes stay as they are.
        regions: likewise.
        day: the day of the new list.
    """
    stays: list[Cells] = []
    before: dict[Key, Decimal] = {}
    lines: dict[tuple[str, str], Cells] = {}
    for cells in old:
        if cells["sku"] in sizes and cells["region"] in regions:
            lines[cells["sku"], cells["region"]] = cells
            before.update(_prices(cells))
        else:
            stays.append(cells)
    after = dict(meters.usd)
    after.update({key: before[key] for key in meters.ambiguous if key in before})
    changes = tuple(_changes(before, after))
    keys = sorted({(size, region) for size, region, _ in after})
    fresh = [_line(place, meters, lines.get(place), day) for place in keys]
    return Plan(
        rows=tuple(sorted([*stays, *fresh], key=lambda cells: (cells["sku"], cells["region"]))),
        changes=changes,
        unchanged=sum(after.get(key) == usd for key, usd in before.items()),
        doubts=(*_gone(before, after), *_odd_meters(meters, before), *_odd_changes(changes), *_odd_spot(after)),
    )


def _prices(cells: Cells) -> dict[Key, Decimal]:
    found = {
        (cells["sku"], cells["region"], False): cells["on_demand_usd_per_hour"],
        (cells["sku"], cells["region"], True): cells["spot_usd_per_hour"],
    }
    return {key: Decimal(text) for key, text in found.items() if text and Decimal(text)}


def _line(place: tuple[str, str], meters: Meters, old: Cells | None, day: date) -> dict[str, str]:
    size, region = place
    cells = {"sku": size, "region": region, "note": ""}
    for kind, spot in (("on_demand", False), ("spot", True)):
        key = (size, region, spot)
        values = ["", "", "", ""]
        if key in meters.usd:
            values = [format(meters.usd[key], "f"), str(day), SOURCE, "high"]
        elif key in meters.ambiguous and old is not None:
            values = [old[f"{kind}_{name}"] for name in _OF_A_PRICE]
            cells["note"] = old["note"]
        cells.update({f"{kind}_{name}": value for name, value in zip(_OF_A_PRICE, values, strict=True)})
    return cells


def _changes(before: Mapping[Key, Decimal], after: Mapping[Key, Decimal]) -> Iterable[Change]:
    for key in sorted({*before, *after}):
        size, region, spot = key
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        kind = ChangeKind.ADDED if old is None else ChangeKind.GONE if new is None else ChangeKind.CHANGED
        yield Change(kind=kind, size=size, region=region, spot=spot, old=old, new=new)


def _gone(before: Mapping[Key, Decimal], after: Mapping[Key, Decimal]) -> Iterable[Doubt]:
    had = Counter(size for size, _, spot in before if not spot)
    left = {size for size, _, spot in after if not spot}
    for size, count in sorted(had.items()):
        if size not in left:
            text = f"{size} had a price in {count} region{'' if count == 1 else 's'} and has none now"
            yield Doubt(objection=Objection.VANISHED, text=text)
    regular = sum(not spot for _, _, spot in after)
    if 2 * regular < had.total():
        text = f"{regular:,} regular prices instead of {had.total():,}: fewer than half"
        yield Doubt(objection=Objection.FEWER, text=text)


def _odd_meters(meters: Meters, before: Mapping[Key, Decimal]) -> Iterable[Doubt]:
    for key in sorted(meters.zero & before.keys()):
        text = f"{_named(key)} was {before[key]} USD an hour and is 0 now"
        yield Doubt(objection=Objection.ZERO, text=text)
    for key, values in sorted(meters.ambiguous.items()):
        text = f"{_named(key)} has several prices of one day: {', '.join(str(value) for value in values)}"
        yield Doubt(objection=Objection.AMBIGUOUS, text=text)


def _odd_changes(changes: Iterable[Change]) -> Iterable[Doubt]:
    for change in changes:
        if change.old is None or change.new is None:
            continue
        text = f"{_named((change.size, change.region, change.spot))}: {change.old} → {change.new} USD an hour"
        if change.new >= _JUMP * change.old or _JUMP * change.new <= change.old:
            yield Doubt(objection=Objection.JUMP, text=text)
        found = sizes.find(change.size)
        if found and not change.spot:
            surcharge = _WINDOWS_USD_PER_VCPU_HOUR * found.vcpus
            if abs(change.new - change.old - surcharge) <= surcharge / 100:
                text += f" is up by what Windows costs, 0.046 for each of {found.vcpus} vCPUs"
                yield Doubt(objection=Objection.WINDOWS, text=text)


def _odd_spot(after: Mapping[Key, Decimal]) -> Iterable[Doubt]:
    for key, usd in sorted(after.items()):
        size, region, spot = key
        regular = after.get((size, region, False))
        if spot and regular is not None and usd >= regular:
            text = f"{_named(key)} is {usd} USD an hour, and the regular price {regular}"
            yield Doubt(objection=Objection.SPOT_NOT_BELOW, text=text)


def _named(key: Key) -> str:
    size, region, spot = key
    return f"{size} {'spot ' if spot else ''}in {region}"

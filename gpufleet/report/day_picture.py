"""What the page draws of a day: a column for each hour, in the units of its SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gpufleet.outlook import Outlook
from gpufleet.outlook.words import asked, unmet
from gpufleet.report.pictures import WIDTH
from gpufleet.spec.base import Priority

_LEFT: Final = 84
_TOP: Final = 12
_FOOT: Final = 24
_ROOM: Final = 180
_GAP: Final = 5


@dataclass(frozen=True, kw_only=True)
class Column:
    """One hour: what is served from the bottom up, what is unmet on top of it, and a mark at what the floors give."""

    label: str
    title: str
    x: float
    width: float
    served_y: float
    served_height: float
    unmet_y: float
    unmet_height: float
    floor_y: float


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One line of the scale."""

    label: str
    y: float


@dataclass(frozen=True, kw_only=True)
class DayChart:
    """Tokens a second by hour.

    Attributes:
        any_unmet: whether a column has a part that is unmet.
    """

    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    any_unmet: bool
    left: int = _LEFT
    right: int = WIDTH - 4
    bottom: int = _TOP + _ROOM
    width: int = WIDTH
    height: int = _TOP + _ROOM + _FOOT


def day_chart(found: Outlook) -> DayChart:
    """The chart of the day with everything up."""
    hours = found.day.hours
    floors = [sum(one.floors[hour.hour] * one.tokens_per_s for one in found.fleet.servers) for hour in hours]
    most = max(*(asked(hour) for hour in hours), *floors, 1.0)
    step = (WIDTH - 4 - _LEFT) / len(hours)

    def height(tokens: float) -> float:
        return round(tokens / most * _ROOM, 1)

    def y(tokens: float) -> float:
        return round(_TOP + _ROOM - height(tokens), 1)

    columns = tuple(
        Column(
            label=f"{hour.hour:02}",
            title=f"{hour.hour:02}:00 UTC: {asked(hour):,.0f} tokens/s asked for, {unmet(hour):,.0f} unmet; "
            f"{hour.nodes(Priority.REGULAR):,} regular and {hour.nodes(Priority.SPOT):,} spot nodes, ${hour.usd:,.2f}",
            x=round(_LEFT + step * hour.hour + _GAP / 2, 1),
            width=round(step - _GAP, 1),
            served_y=y(hour.served),
            served_height=height(hour.served),
            unmet_y=y(hour.served + unmet(hour)),
            unmet_height=height(unmet(hour)),
            floor_y=y(floor),
        )
        for hour, floor in zip(hours, floors, strict=True)
    )
    ticks = tuple(Tick(label=f"{most * part:,.0f}", y=y(most * part)) for part in (0, 0.5, 1))
    return DayChart(columns=columns, ticks=ticks, any_unmet=any(unmet(hour) for hour in hours))

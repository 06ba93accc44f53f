"""Local times that a time zone skips when its clocks go forward: nothing that is due then ever runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from gpufleet.spec.stopped_hours import MINUTES_PER_DAY, MINUTES_PER_WEEK

_YEARS: Final = (dt.date(2026, 1, 1), dt.date(2036, 1, 1))
"""Not from today, for a check must say the same on any day. Few zones have their changes laid down for longer."""
_MINUTE: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Skipped:
    """What is skipped on one day.

    Attributes:
        day: the first such day.
        minutes: minutes of the week, from 0 at Monday 00:00.
    """

    day: dt.date
    minutes: range


@lru_cache(maxsize=16)
def skipped_times(time_zone: str) -> tuple[Skipped, ...]:
    """All that a zone skips in the years from 2026 to 2035, each time of the week once."""
    zone = ZoneInfo(time_zone)
    start, last = (dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) for day in _YEARS)
    days = [start + dt.timedelta(days=number) for number in range((last - start).days + 1)]
    found: dict[range, Skipped] = {}
    for before, after in pairwise(days):
        if _offset(after, zone) > _offset(before, zone):
            skipped = _between(before, after, zone)
            found.setdefault(skipped.minutes, skipped)
    return tuple(found.values())


def _between(before: dt.datetime, after: dt.datetime, zone: ZoneInfo) -> Skipped:
    """What the zone skips between two moments, found to the minute by halving."""
    old, new = _offset(before, zone), _offset(after, zone)
    while after - before > _MINUTE:
        middle = before + (after - before) // (2 * _MINUTE) * _MINUTE
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    first = (after + old).replace(tzinfo=None)
    minute = (first.weekday() * MINUTES_PER_DAY + first.hour * 60 + first.minute) % MINUTES_PER_WEEK
    return Skipped(first.date(), range(minute, minute + (new - old) // _MINUTE))


def _offset(moment: dt.datetime, zone: ZoneInfo) -> dt.timedelta:
    return moment.astimezone(zone).utcoffset() or dt.timedelta()

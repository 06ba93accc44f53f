"""The stops of a week as cron schedules of Kubernetes: when to hold the queues, and when to let them go on.

A hold is said at the start of a stop and again every hour of it, so that one that failed, or a queue that came
meanwhile, costs an hour and not a weekend. It is said at a time only at which it is sure to be over before the stop is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gpufleet.spec.stopped_hours import MINUTES_PER_DAY, MINUTES_PER_WEEK, Stop

STARTING_DEADLINE_SECONDS: Final = 600
"""How late a hold may start; the next one comes within the hour."""
ACTIVE_DEADLINE_SECONDS: Final = 600
"""How long a hold or its end may take, with all its tries."""

_MARGIN_MINUTES: Final = (STARTING_DEADLINE_SECONDS + ACTIVE_DEADLINE_SECONDS) // 60
_HOUR: Final = 60
_HOURS_PER_DAY: Final = 24


def hold_crons(stops: Sequence[Stop]) -> list[str]:
    """Schedules that hold the queues: at the start of each stop and every hour until shortly before its end."""
    times = (stop.begin + minute for stop in stops for minute in range(0, stop.minutes - _MARGIN_MINUTES + 1, _HOUR))
    return list(_crons(times))


def release_crons(stops: Sequence[Stop]) -> list[str]:
    """Schedules that let the queues go on: once, at the end of each stop."""
    return list(_crons(stop.begin + stop.minutes for stop in stops))


def release_deadline_seconds(stops: Sequence[Stop]) -> int:
    """How late the end of a hold may come: so that it is over before the next hold, wherever in the week."""
    begins = [stop.begin for stop in stops]
    following = [*begins[1:], begins[0] + MINUTES_PER_WEEK]
    shortest = min(begin - stop.begin - stop.minutes for stop, begin in zip(stops, following, strict=True))
    return shortest * 60 - ACTIVE_DEADLINE_SECONDS


def _crons(times: Iterable[int]) -> Iterator[str]:
    """The fewest schedules of the form `minute hours * * days` that have these minutes of the week and no others."""
    hours: dict[tuple[int, int], set[int]] = {}
    for time in times:
        day, rest = divmod(time % MINUTES_PER_WEEK, MINUTES_PER_DAY)
        hours.setdefault((rest % _HOUR, day), set()).add(rest // _HOUR)
    days: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for (minute, day), which in sorted(hours.items()):
        days.setdefault((minute, tuple(sorted(which))), []).append(day + 1)
    for (minute, same), on in days.items():
        # Days from 1, Monday, to 6; cron's Sunday is 0.
        yield f"{minute} {_ranges(same, _HOURS_PER_DAY)} * * {_ranges(sorted(day % 7 for day in on), 7)}"


def _ranges(numbers: Sequence[int], every: int) -> str:
    """`0-6,19-23`, or `*` for all of them."""
    if len(numbers) == every:
        return "*"
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)

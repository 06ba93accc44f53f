"""What schedules come to on the week's clock: the hours in which a fabric stands still, each counted once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gpufleet.spec.schedule import Day, Schedule

MINUTES_PER_DAY: Final = 24 * 60
MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY
_DAYS: Final = tuple(Day)


@dataclass(frozen=True, kw_only=True, order=True)
class Stop:
    """One stop of the week, on the local clock.

    Attributes:
        begin: minute of the week, from 0 at Monday 00:00.
        minutes: how long it lasts, at most the whole week.
    """

    begin: int
    minutes: int

    @property
    def end(self) -> int:
        """Minute of the week at which work goes on; one of the next week's is told as one of this."""
        return (self.begin + self.minutes) % MINUTES_PER_WEEK


def stops_of(schedule: Schedule) -> list[Stop]:
    """The stops of one schedule, one a day, in the order of the week; the same time twice is a whole day."""
    begin, end = _minutes(schedule.begin), _minutes(schedule.end)
    length = (end - begin) % MINUTES_PER_DAY or MINUTES_PER_DAY
    return sorted(Stop(begin=_DAYS.index(day) * MINUTES_PER_DAY + begin, minutes=length) for day in schedule.days)


def stops(schedules: Iterable[Schedule]) -> list[Stop]:
    """The stops of all schedules together, those that touch or overlap made one, in the order of the week."""
    stopped = bytearray(MINUTES_PER_WEEK)
    for schedule in schedules:
        for stop in stops_of(schedule):
            for minute in range(stop.begin, stop.begin + stop.minutes):
                stopped[minute % MINUTES_PER_WEEK] = 1
    if all(stopped):
        return [Stop(begin=0, minutes=MINUTES_PER_WEEK)]
    begins = [minute for minute in range(MINUTES_PER_WEEK) if stopped[minute] and not stopped[minute - 1]]
    # Twice round, for the last stop of the week may end in the next.
    twice = bytes(stopped) * 2
    return [Stop(begin=begin, minutes=twice.index(0, begin) - begin) for begin in begins]


def stopped_minutes(schedules: Iterable[Schedule]) -> int:
    """Minutes of the week in which the fabric stands still.

    By the local clock, and so on the average of a year by any clock: what summer time takes from one week it gives to
    another.
    """
    return sum(stop.minutes for stop in stops(schedules))


def moment(minute: int) -> str:
    """A minute of the week in words: `Monday 07:00`."""
    day, rest = divmod(minute % MINUTES_PER_WEEK, MINUTES_PER_DAY)
    return f"{_DAYS[day].value} {rest // 60:02}:{rest % 60:02}"


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)

"""Schedules on the week's clock, against real days of real time zones."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.spec.schedule import Day, Schedule
from gpufleet.spec.skipped_times import skipped_times
from gpufleet.spec.stopped_hours import MINUTES_PER_WEEK, Stop, moment, stopped_minutes, stops, stops_of

_DAYS = list(Day)
_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


def schedule(days: str, begin: str, end: str, zone: str = "UTC") -> Schedule:
    """A schedule; the days by their first two letters."""
    named = [day for day in _DAYS if day.value[:2] in days.split()]
    return Schedule.model_validate({"name": "one", "days": named, "from": begin, "to": end, "timeZone": zone})


_schedules = st.builds(
    lambda days, begin, end: Schedule.model_validate(
        {"name": "one", "days": sorted(days, key=_DAYS.index), "from": begin, "to": end, "timeZone": "UTC"}
    ),
    st.sets(st.sampled_from(_DAYS), min_size=1),
    _times,
    _times,
)


def test_nights_and_the_weekend_are_one_stop_from_friday_to_monday():
    found = stops([schedule("Mo Tu We Th Fr", "19:00", "07:00"), schedule("Sa Su", "07:00", "07:00")])
    assert [(moment(stop.begin), moment(stop.end), stop.minutes / 60) for stop in found] == [
        ("Monday 19:00", "Tuesday 07:00", 12),
        ("Tuesday 19:00", "Wednesday 07:00", 12),
        ("Wednesday 19:00", "Thursday 07:00", 12),
        ("Thursday 19:00", "Friday 07:00", 12),
        ("Friday 19:00", "Monday 07:00", 60),
    ]


def test_the_whole_week():
    whole = [schedule("Mo Tu We Th Fr Sa Su", "13:30", "13:30")]
    assert stops(whole) == [Stop(begin=0, minutes=MINUTES_PER_WEEK)]
    assert stopped_minutes(whole) == MINUTES_PER_WEEK


def test_nothing():
    assert stops([]) == []
    assert stopped_minutes([]) == 0


@given(st.lists(_schedules, max_size=4))
def test_stops_are_the_union_of_the_schedules(schedules: list[Schedule]):
    union = {
        minute % MINUTES_PER_WEEK
        for one in schedules
        for stop in stops_of(one)
        for minute in range(stop.begin, stop.begin + stop.minutes)
    }
    found = stops(schedules)
    assert {
        minute % MINUTES_PER_WEEK for stop in found for minute in range(stop.begin, stop.begin + stop.minutes)
    } == union
    assert stopped_minutes(schedules) == len(union)
    assert found == sorted(found)
    # What touches is one stop.
    if len(found) > 1:
        assert not {stop.begin for stop in found} & {stop.end for stop in found}


@pytest.mark.parametrize(
    "zone",
    ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo", "Asia/Tokyo"],
)
@pytest.mark.parametrize(
    ("days", "begin", "end"),
    [("Mo Tu We Th Fr", "19:00", "07:00"), ("Sa Su", "00:00", "00:00"), ("Su", "01:30", "05:00")],
)
def test_over_a_year_the_local_clock_counts_the_real_hours(zone: str, days: str, begin: str, end: str):
    stated = schedule(days, begin, end, zone)
    place = ZoneInfo(zone)
    monday = dt.date(2026, 1, 5)
    real = dt.timedelta()
    for week in range(52):
        for stop in stops_of(stated):
            local = dt.datetime.combine(monday, dt.time()) + dt.timedelta(weeks=week, minutes=stop.begin)
            first, last = (
                moment_.replace(tzinfo=place).astimezone(dt.UTC)
                for moment_ in (local, local + dt.timedelta(minutes=stop.minutes))
            )
            real += last - first
    assert real == dt.timedelta(minutes=52 * stopped_minutes([stated]))


def test_what_clocks_skip():
    def told(zone: str) -> list[tuple[str, str, int]]:
        return [(str(one.day), moment(one.minutes.start), len(one.minutes)) for one in skipped_times(zone)]

    assert told("Europe/Stockholm") == [("2026-03-29", "Sunday 02:00", 60)]
    assert told("Australia/Lord_Howe") == [("2026-10-04", "Sunday 02:00", 30)]
    assert told("Africa/Cairo") == [("2026-04-24", "Friday 00:00", 60)]
    assert told("Asia/Tokyo") == []


@pytest.mark.parametrize("zone", ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
def test_a_skipped_time_does_not_exist(zone: str):
    place = ZoneInfo(zone)
    for one in skipped_times(zone):
        first = one.minutes.start % (24 * 60)
        for minute, exists in ((first - 1, True), (first, False), (first + len(one.minutes) - 1, False)):
            local = dt.datetime.combine(one.day, dt.time()) + dt.timedelta(minutes=minute)
            back = local.replace(tzinfo=place).astimezone(dt.UTC).astimezone(place).replace(tzinfo=None)
            assert (back == local) is exists

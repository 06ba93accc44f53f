from __future__ import annotations

from typing import Any

import pytest

from gpufleet.spec import Severity
from gpufleet.spec.base import Path
from tests.spec.environments import DATA, POOL, SERVE, Case, cases, changed, judge, verdict

_FABRIC = ("training", 0)
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
_FROM_ZERO = {"min": 0, "max": 8}


def _schedule(name: str = "nights", days: list[str] | None = None, **times: str) -> dict[str, Any]:
    stated = {"from": "19:00", "to": "07:00", "timeZone": "Europe/Stockholm"}
    return {"name": name, "days": days or _WEEKDAYS, **stated, **{key.rstrip("_"): text for key, text in times.items()}}


def _stopped(*schedules: dict[str, Any], **more: object) -> dict[Path, object]:
    """The fabric from zero nodes, with schedules; `class_` and `nodes` differ where they are given."""
    changes: dict[Path, object] = {
        (*POOL, "nodes"): more.get("nodes", _FROM_ZERO),
        (*_FABRIC, "schedules"): list(schedules),
    }
    return changes | ({("class",): more["class_"]} if "class_" in more else {})


_NIGHTS = _schedule()
_WEEKEND = _schedule("weekend", ["Saturday", "Sunday"], from_="07:00")
_SUNDAY = ["Sunday"]


@cases(
    Case(
        "production",
        _stopped(_NIGHTS, class_="production"),
        "training[0].schedules",
        "production doesn't stop by the clock",
        _stopped(_NIGHTS, _WEEKEND),
    ),
    Case(
        "a fixed pool",
        _stopped(_NIGHTS, nodes=2),
        "training[0].pools[0].nodes",
        "a fixed number of nodes stays while the fabric stands still",
        {**_stopped(_NIGHTS), (*DATA, "nodes"): 2},
    ),
    Case(
        "a pool with a minimum",
        _stopped(_NIGHTS, nodes={"min": 1, "max": 8}),
        "training[0].pools[0].nodes.min",
        "a minimum of 1 stays while the fabric stands still",
        {**_stopped(_NIGHTS), (*DATA, "nodes"): {"min": 1, "max": 4}},
    ),
    Case(
        "a name twice",
        _stopped(_NIGHTS, _schedule("nights", ["Saturday"])),
        "training[0].schedules[1].name",
        "nights is the name of schedules[0] too",
        _stopped(_NIGHTS, _schedule("saturday", ["Saturday"])),
    ),
    Case(
        "a day twice",
        _stopped(_schedule(days=["Monday", "Tuesday", "Monday"])),
        "training[0].schedules[0].days[2]",
        "Monday is days[0] too",
        _stopped(_schedule(days=["Monday", "Tuesday"])),
    ),
    Case(
        "too short",
        _stopped(_schedule(from_="12:00", to="12:59")),
        "training[0].schedules[0].to",
        "59 minutes are too few for jobs to stop and nodes to go and come back",
        _stopped(_schedule(from_="12:00", to="13:00")),
    ),
    Case(
        "two clocks",
        _stopped(_NIGHTS, _schedule("weekend", ["Saturday"], timeZone="Asia/Tokyo")),
        "training[0].schedules[1].timeZone",
        "Asia/Tokyo is another time zone than that of schedules[0], Europe/Stockholm",
        _stopped(_NIGHTS, _schedule("weekend", ["Saturday"])),
    ),
    Case(
        "an overlap",
        _stopped(_NIGHTS, _schedule("weekend", ["Saturday", "Sunday"], from_="06:00", to="06:00")),
        "training[0].schedules[1]",
        "overlaps the schedules before it for 1 h of the week, which count once",
        _stopped(_NIGHTS, _WEEKEND),
        severity=Severity.WARNING,
    ),
    Case(
        "too short a time between",
        _stopped(_schedule("mornings", from_="07:00", to="11:01"), _schedule("noon", from_="12:00", to="13:00")),
        "training[0].schedules",
        "the fabric runs for 59 minutes only from Monday 11:01",
    ),
    Case(
        "never",
        _stopped(_schedule(days=[*_WEEKDAYS, "Saturday", "Sunday"], from_="00:00", to="00:00")),
        "training[0].schedules",
        "the fabric never runs",
        _stopped(_schedule(days=[*_WEEKDAYS, "Saturday", "Sunday"], from_="00:00", to="23:00")),
    ),
    Case(
        "a time that summer time skips",
        _stopped(_schedule(days=["Saturday"], to="02:30")),
        "training[0].schedules[0].to",
        "Sunday 02:30 doesn't exist on 2026-03-29, when the clocks of Europe/Stockholm go forward: the fabric would "
        "not go on that day",
        _stopped(_schedule(days=["Saturday"], to="03:00")),
    ),
    Case(
        "the end of one that is followed by another is no end",
        _stopped(_schedule(days=_SUNDAY, from_="01:00", to="02:15", timeZone="Australia/Lord_Howe")),
        "training[0].schedules[0].to",
        "Sunday 02:15 doesn't exist on 2026-10-04, when the clocks of Australia/Lord_Howe go forward: the fabric would "
        "not go on that day",
        _stopped(
            _schedule(days=_SUNDAY, from_="01:00", to="02:15", timeZone="Australia/Lord_Howe"),
            _schedule("more", _SUNDAY, from_="02:15", to="04:00", timeZone="Australia/Lord_Howe"),
        ),
    ),
    Case(
        "more work than hours",
        {**_stopped(_NIGHTS, _WEEKEND), (*POOL, "usage"): {"utilizationPercent": 80, "hoursPerWeek": 61}},
        "training[0].pools[0].usage.hoursPerWeek",
        "work in 61 hours of the week, and the schedules leave 60",
        {**_stopped(_NIGHTS, _WEEKEND), (*POOL, "usage"): {"utilizationPercent": 80, "hoursPerWeek": 60}},
        severity=Severity.WARNING,
    ),
)
def test_schedules(case: Case):
    judge(case)


def test_use_all_week_is_what_the_schedules_leave_unless_it_is_written():
    assert verdict(changed({**_stopped(_NIGHTS), (*POOL, "usage"): {"utilizationPercent": 80}})) == []


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("from", "7:00", 'the text "7:00" is not a local time of day in quotes, such as "19:00"'),
        ("to", "24:00", 'the text "24:00" is not a local time of day in quotes, such as "19:00"'),
        ("to", 420, "must be text, not 420"),
        (
            "timeZone",
            "europe/stockholm",
            'the text "europe/stockholm" is not a time zone of the IANA database; did you mean Europe/Stockholm?',
        ),
        (
            "timeZone",
            "../etc/passwd",
            'the text "../etc/passwd" is not a time zone of the IANA database, such as Europe/Stockholm',
        ),
        ("timeZone", "Local", 'the text "Local" is not a time zone of the IANA database, such as Europe/Stockholm'),
        ("days", [], "must have 1 or more items"),
        (
            "days",
            ["monday"],
            'must be one of Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, not the text "monday"',
        ),
    ],
)
def test_one_schedule_by_itself(key: str, value: object, message: str):
    found = verdict(changed(_stopped({**_NIGHTS, key: value})))
    assert [problem.message for problem in found] == [message]


def test_inference_has_none():
    found = verdict(changed({(*SERVE[:3], "schedules"): [_NIGHTS]}))
    assert [problem.key for problem in found] == ["inference.regions[0].schedules"]

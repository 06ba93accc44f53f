"""StopSchedule: its manifests, and what its cron schedules come to over a week."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.week_cron import (
    ACTIVE_DEADLINE_SECONDS,
    STARTING_DEADLINE_SECONDS,
    hold_crons,
    release_crons,
    release_deadline_seconds,
)
from gpufleet.spec.stopped_hours import MINUTES_PER_DAY, MINUTES_PER_WEEK, Stop
from tests.components.graphs import stack_graph
from tests.components.idle import CASES, graph, manifests, path


@pytest.mark.parametrize("case", CASES)
def test_manifests(case: str) -> None:
    written = list(yaml.safe_load_all(path(case).read_text(encoding="utf-8")))
    assert manifests(graph(case)) == written


def _jobs(case: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one["spec"] for one in manifests(graph(case)) if one["kind"] == "CronJob"}


def test_nights_and_the_weekend_in_between() -> None:
    jobs = _jobs("nights-and-weekends")
    assert {name: (job["schedule"], job["timeZone"]) for name, job in jobs.items()} == {
        "hold-1": ("0 0-6,19-23 * * 1-5", "Europe/Stockholm"),
        "hold-2": ("0 * * * 0,6", "Europe/Stockholm"),
        "release-1": ("0 7 * * 1-5", "Europe/Stockholm"),
    }
    # From 07:00 to 19:00, less the time that the end of the hold itself may take.
    assert jobs["release-1"]["startingDeadlineSeconds"] == 12 * 3600 - 600


@pytest.mark.parametrize("case", CASES)
def test_what_a_job_says_is_what_its_account_may(case: str) -> None:
    objects = manifests(graph(case))
    (rule,) = next(one for one in objects if one["kind"] == "ClusterRole")["rules"]
    for name, job in _jobs(case).items():
        (container,) = job["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        verb, resource, *rest = container["args"]
        queues = [one for one in rest if not one.startswith("--")]
        assert (verb, resource) == ("patch", "clusterqueues.kueue.x-k8s.io")
        assert rule == {
            "apiGroups": ["kueue.x-k8s.io"],
            "resources": ["clusterqueues"],
            "resourceNames": queues,
            "verbs": ["get", "patch"],
        }
        patch = next(one for one in rest if one.startswith("--patch=")).removeprefix("--patch=")
        policy = "HoldAndDrain" if name.startswith("hold") else "None"
        assert json.loads(patch) == {"spec": {"stopPolicy": policy}}


def test_queues_are_those_of_the_teams() -> None:
    (job,) = {
        tuple(spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"][2:4])
        for spec in _jobs("nights-and-weekends").values()
    }
    assert job == ("vision", "speech")


def test_a_fabric_without_schedules_has_nothing_of_it() -> None:
    assert stack_graph("dev").of("batch/v1:CronJob") == []


def test_the_queue_may_be_held_before_a_job_asks_for_it() -> None:
    found = graph("lunch")
    waits = {found.named(urn) for urn in found.one("batch/v1:CronJob", "lab-stops-hold-1").dependencies}
    assert {"lab-stops-role-binding", "lab-stops-account", "lab-stops-namespace"} <= waits


@st.composite
def _weeks(draw: st.DrawFn) -> list[Stop]:
    """Stops of an hour or more, an hour or more apart, as the specification's checks let pass."""
    start = draw(st.integers(0, MINUTES_PER_WEEK - 1))
    parts = draw(st.lists(st.tuples(st.integers(60, 4000), st.integers(60, 4000)), min_size=1, max_size=8))
    found: list[Stop] = []
    passed = 0
    for minutes, pause in parts:
        if passed + minutes + 60 > MINUTES_PER_WEEK:
            break
        found.append(Stop(begin=(start + passed) % MINUTES_PER_WEEK, minutes=minutes))
        passed += minutes + pause
    return sorted(found)


def _times(crons: list[str]) -> list[int]:
    """The minutes of the week at which cron schedules are due, by Kubernetes' reading of their fields."""
    found: list[int] = []
    for cron in crons:
        minute, hours, day_of_month, month, days = cron.split(" ")
        assert (day_of_month, month) == ("*", "*")
        found += [
            (day - 1) % 7 * MINUTES_PER_DAY + hour * 60 + int(minute)
            for day in _numbers(days, 7)
            for hour in _numbers(hours, 24)
        ]
    return sorted(found)


def _numbers(field: str, every: int) -> list[int]:
    if field == "*":
        return list(range(every))
    found: list[int] = []
    for part in field.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    assert all(0 <= number < every for number in found)
    return found


@given(_weeks())
def test_holds_are_over_before_the_stop_is(week: list[Stop]) -> None:
    longest = (STARTING_DEADLINE_SECONDS + ACTIVE_DEADLINE_SECONDS) // 60
    times = _times(hold_crons(week))
    assert len(times) == len(set(times))
    for time in times:
        stop = next(one for one in week if (time - one.begin) % MINUTES_PER_WEEK < one.minutes)
        assert (time - stop.begin) % MINUTES_PER_WEEK + longest <= stop.minutes
    for stop in week:
        own = [(time - stop.begin) % MINUTES_PER_WEEK for time in times]
        assert [time for time in sorted(own) if time < stop.minutes] == list(range(0, stop.minutes - longest + 1, 60))


@given(_weeks())
def test_each_stop_ends_once_and_never_in_the_next(week: list[Stop]) -> None:
    assert _times(release_crons(week)) == sorted(stop.end for stop in week)
    late = (release_deadline_seconds(week) + ACTIVE_DEADLINE_SECONDS) / 60
    for stop in week:
        until_next = min((other.begin - stop.begin - stop.minutes) % MINUTES_PER_WEEK for other in week)
        assert 0 < late <= until_next

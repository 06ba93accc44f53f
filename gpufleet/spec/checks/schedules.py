"""Schedules: never in production, on one clock, with nodes that can go away and time to do so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gpufleet.catalog import sizes
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment, EnvironmentClass
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.problem import ITEMS, Problem, Severity
from gpufleet.spec.skipped_times import skipped_times
from gpufleet.spec.stopped_hours import MINUTES_PER_WEEK, Stop, moment, stopped_minutes, stops, stops_of
from gpufleet.spec.training import TrainingFabric

SHORTEST_MINUTES: Final = 60
"""Of a stop, and of the time between two: jobs go, nodes go, and both come back, which takes about half of it."""

_CRON: Final = "Kubernetes CronJob: time zones; robfig/cron v3: hours that a time zone skips are not run"
_AUTOSCALER: Final = "AKS cluster-autoscaler-overview"


def check_schedules(environment: Environment) -> Iterator[Problem]:
    """Each fabric's schedules, alone and together, and its pools under them."""
    for index, fabric in enumerate(environment.training):
        path: Path = ("training", index)
        if not fabric.schedules:
            continue
        if environment.environment_class is EnvironmentClass.PRODUCTION:
            yield Problem(
                path=(*path, "schedules"),
                message="production doesn't stop by the clock",
                fix="Leave them out, or keep what may stop in an environment of another class",
                reads=(("class",),),
            )
        yield from _names(fabric, path)
        yield from _alone(fabric, path)
        yield from _together(fabric, path)
        for number, pool in enumerate(fabric.pools):
            yield from _pool(fabric, pool, path, number)


def _names(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    for index, first in repeated([schedule.name for schedule in fabric.schedules]):
        at = (*path, "schedules", index, "name")
        message = f"{fabric.schedules[index].name} is the name of schedules[{first}] too"
        yield Problem(
            path=at, message=message, fix="Give it another name", reads=((*path, "schedules", first, "name"),)
        )


def _alone(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    for index, schedule in enumerate(fabric.schedules):
        at = (*path, "schedules", index)
        for day, first in repeated(schedule.days):
            message = f"{schedule.days[day].value} is days[{first}] too"
            yield Problem(path=(*at, "days", day), message=message, fix="Name each day once")
        if (minutes := stops_of(schedule)[0].minutes) < SHORTEST_MINUTES:
            yield Problem(
                path=(*at, "to"),
                message=f"{minutes} minutes are too few for jobs to stop and nodes to go and come back",
                fix=f"Let it last {SHORTEST_MINUTES} minutes or more",
                reads=((*at, "from"),),
            )


def _together(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    schedules, every = fabric.schedules, (*path, "schedules")
    for index, schedule in enumerate(schedules):
        if schedule.time_zone != schedules[0].time_zone:
            yield Problem(
                path=(*every, index, "timeZone"),
                message=f"{schedule.time_zone} is another time zone than that of schedules[0], "
                f"{schedules[0].time_zone}",
                fix="Write all schedules of a fabric in one time zone",
                reads=((*every, 0, "timeZone"),),
            )
            return
    for index, schedule in enumerate(schedules):
        earlier = schedules[:index]
        shared = stopped_minutes([schedule]) - (stopped_minutes([*earlier, schedule]) - stopped_minutes(earlier))
        if shared:
            yield Problem(
                path=(*every, index),
                message=f"overlaps the schedules before it for {shared / 60:g} h of the week, which count once",
                severity=Severity.WARNING,
                reads=((*every, ITEMS), *((*every, other) for other in range(index))),
            )
    yield from _pauses(fabric, every)


def _pauses(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    merged = stops(fabric.schedules)
    if merged[0].minutes == MINUTES_PER_WEEK:
        yield Problem(
            path=path,
            message="the fabric never runs",
            fix="Leave hours of the week for it, or take the fabric out",
        )
        return
    following = (*merged[1:], Stop(begin=merged[0].begin + MINUTES_PER_WEEK, minutes=merged[0].minutes))
    for one, other in zip(merged, following, strict=True):
        between = other.begin - one.begin - one.minutes
        if between < SHORTEST_MINUTES:
            yield Problem(
                path=path,
                message=f"the fabric runs for {between} minutes only from {moment(one.end)}",
                fix=f"Let the stops follow each other at once, or {SHORTEST_MINUTES} minutes or more apart",
            )
            return
    skipped = skipped_times(fabric.schedules[0].time_zone)
    ends = {one.end for one in merged}
    for index, schedule in enumerate(fabric.schedules):
        for stop in stops_of(schedule):
            hit = next((gap for gap in skipped if stop.end in ends and stop.end in gap.minutes), None)
            if hit is not None:
                yield Problem(
                    path=(*path, index, "to"),
                    message=f"{moment(stop.end)} doesn't exist on {hit.day}, when the clocks of {schedule.time_zone} "
                    "go forward: the fabric would not go on that day",
                    fix=f"Take a time before {moment(hit.minutes.start)[-5:]}, or from {moment(hit.minutes.stop)[-5:]}",
                    source=_CRON,
                )
                break


def _pool(fabric: TrainingFabric, pool: Pool, path: Path, number: int) -> Iterator[Problem]:
    at = (*path, "pools", number)
    size = sizes.find(pool.sku)
    if size is None or not size.is_gpu:
        return
    reads = ((*path, "schedules", ITEMS), (*at, "sku"))
    if not isinstance(pool.nodes, NodeRange):
        yield Problem(
            path=(*at, "nodes"),
            message="a fixed number of nodes stays while the fabric stands still",
            fix=f"Make it a range: {{min: 0, max: {pool.nodes}}}, several pools where that is more than one domain",
            source=_AUTOSCALER,
            reads=reads,
        )
    elif pool.nodes.min:
        yield Problem(
            path=(*at, "nodes", "min"),
            message=f"a minimum of {pool.nodes.min} stays while the fabric stands still",
            fix="Set it to 0, or leave the schedules out",
            source=_AUTOSCALER,
            reads=reads,
        )
    left = (MINUTES_PER_WEEK - stopped_minutes(fabric.schedules)) / 60
    if pool.usage is not None and pool.usage.hours_per_week > left and "hours_per_week" in pool.usage.model_fields_set:
        yield Problem(
            path=(*at, "usage", "hoursPerWeek"),
            message=f"work in {pool.usage.hours_per_week:g} hours of the week, and the schedules leave {left:g}",
            fix=f"Declare at most {left:g}; the expected cost counts no more",
            severity=Severity.WARNING,
            reads=((*path, "schedules"),),
        )

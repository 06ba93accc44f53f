"""Weekly hours in which a training fabric stands still: its queues are held, and its idle nodes go away."""

from __future__ import annotations

import importlib.resources
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Spec


class Day(StrEnum):
    """Day of the week."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Names of the IANA time zone database, as the pinned package tzdata has them.

    Not what the machine's own database has: that is another one elsewhere, and has names such as `localtime`.
    """
    text = (importlib.resources.files("tzdata") / "zones").read_text(encoding="ascii")
    return frozenset(text.split()) - {"Factory"}


def _time_zone(value: str) -> str:
    if value in time_zones():
        return value
    near = nearest_name(value, sorted(time_zones()))
    hint = f"; did you mean {near}?" if near else ", such as Europe/Stockholm"
    raise ValueError(f"is not a time zone of the IANA database{hint}")


_TimeOfDay = Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$")]


class Schedule(Spec):
    """Hours in which the fabric stands still, on some days of every week.

    At `from` all its queues are held: running jobs are evicted, to start again from their last checkpoint, and waiting
    ones wait. At `to` the queues take up their work.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=20)]
    """What people call it, such as nights."""
    days: Annotated[list[Annotated[Day, Field(strict=False)]], Field(min_length=1)]
    """Days on which it begins."""
    begin: Annotated[_TimeOfDay, Field(alias="from")]
    """Local time at which the fabric stops."""
    end: Annotated[_TimeOfDay, Field(alias="to")]
    """Local time at which it goes on: of the same day when later than `from`, else of the next."""
    time_zone: Annotated[str, AfterValidator(_time_zone), Field(examples=["Europe/Stockholm"])]
    """IANA time zone of `from` and `to`, summer time and all; one for all schedules of a fabric."""

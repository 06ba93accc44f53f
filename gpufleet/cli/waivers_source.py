"""The checkout's waivers, and the day that they are held against."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policies.waivers import Waivers

TodayOption = Annotated[
    dt.datetime | None,
    typer.Option(
        "--today",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="See what will be on a later day (UTC): which waivers will have expired.",
        show_default="today in UTC",
    ),
]


def day_of(today: dt.datetime | None) -> dt.date:
    """The day to go by, in UTC.

    Raises:
        ConfigurationError: it is over, and would bring expired waivers back.
    """
    from gpufleet.catalog import snapshots

    now = snapshots.today()
    if today is None:
        return now
    if today.date() < now:
        raise ConfigurationError(
            f"--today {today.date()}: that day is over, and today is {now} in UTC",
            hint="Name today or a later day: an earlier one would bring expired waivers back.",
        )
    return today.date()


def waivers_of(today: dt.date, environments: Iterable[str]) -> Waivers:
    """All waivers of the checkout.

    Args:
        today: see `day_of`.
        environments: those asked for, beside those of the checkout.

    Raises:
        WaiversError: the file is malformed.
    """
    from gpufleet.engine.project import ROOT
    from policies import waivers_file
    from policies.catalogue import rules

    return waivers_file.load(ROOT / waivers_file.NAME, today=today, rules=rules(), environments=environments)

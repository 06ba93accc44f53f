"""How long provisioning and moving data took somebody on Azure (data/provisioning_times.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import read, row_of


@dataclass(frozen=True, kw_only=True)
class MeasuredTime:
    """One measured duration in seconds, from the shortest to the longest."""

    what: str
    seconds: tuple[float, float]
    as_of: str
    source: str
    note: str


@lru_cache(maxsize=1)
def times() -> tuple[MeasuredTime, ...]:
    """All of them."""
    columns = ("what", "seconds_min", "seconds_max", "as_of", "source", "note")
    return tuple(
        MeasuredTime(
            what=row.text("what"),
            seconds=(row.number("seconds_min"), row.number("seconds_max")),
            as_of=row.text("as_of"),
            source=row.text("source"),
            note=row.cells["note"],
        )
        for row in read("provisioning_times.csv", columns)
    )


def time_of(what: str) -> MeasuredTime:
    """The time of what is called so in the table. Raises MissingRowError for another."""
    return row_of({time.what: time for time in times()}, what, "gpufleet/catalog/data/provisioning_times.csv")

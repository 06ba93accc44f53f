"""How long it takes until servers that are missing serve (data/absorb_times.csv)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gpufleet.catalog.table import read, row_of
from gpufleet.outlook.fleet import Servers

_FILE: Final = "absorb_times.csv"
_ONCE: Final = ("scaling signal", "cluster autoscaler", "GPU node", "image", "server start")
_A_GIGABYTE: Final = "weights, a GB"
NOTICE: Final = "spot notice"


@dataclass(frozen=True, kw_only=True)
class Step:
    """Seconds of one step, from the shortest to the longest that somebody saw."""

    seconds: tuple[float, float]
    source: str
    confidence: str


@dataclass(frozen=True)
class Minutes:
    """From the shortest to the longest."""

    least: float
    most: float


def minutes_to_serve(servers: Iterable[Servers]) -> Minutes | None:
    """Until the slowest of these has one replica more, on a node that isn't there yet; None of none.

    signal + autoscaler + node + image + weights + start, one after the other: a pod is created, found to be without a
    node, and everything else waits for the node. Replicas start side by side, so their number doesn't matter as long as
    Azure has the nodes.

    Raises:
        CatalogError: the table is damaged.
    """
    gigabytes = max((one.weights_gb for one in servers), default=None)
    if gigabytes is None:
        return None
    once = [steps()[name].seconds for name in _ONCE]
    loading = steps()[_A_GIGABYTE].seconds
    least, most = (sum(one[end] for one in once) + gigabytes * loading[end] for end in (0, 1))
    return Minutes(least / 60, most / 60)


@lru_cache(maxsize=1)
def steps() -> dict[str, Step]:
    """All steps by name."""
    columns = ("step", "seconds_min", "seconds_max", "as_of", "source", "confidence", "note")
    found = {
        row.text("step"): Step(
            seconds=(row.number("seconds_min"), row.number("seconds_max")),
            source=f"{row.text('source')} {row.text('as_of')}",
            confidence=row.choice("confidence", "high", "medium", "low"),
        )
        for row in read(_FILE, columns, package="gpufleet.outlook")
    }
    for name in (*_ONCE, _A_GIGABYTE, NOTICE):
        row_of(found, name, f"gpufleet/outlook/data/{_FILE}")
    return found

"""When the cluster autoscaler gives idle nodes of a training fabric back (data/scale_down.csv).

The AKS autoscaler profile is one for the cluster; AKS takes all values as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import read, row_of

_FILE = "scale_down.csv"


@dataclass(frozen=True, kw_only=True)
class ScaleDown:
    """What to set, in the units of AKS's `autoScalerProfile`."""

    unneeded_minutes: int
    """`scaleDownUnneededTime`."""
    delay_after_add_minutes: int
    """`scaleDownDelayAfterAdd`."""
    utilization_threshold: float
    """`scaleDownUtilizationThreshold`, from 0 to 1; a node below it is a candidate."""
    max_graceful_termination_seconds: int
    """`maxGracefulTerminationSec`."""
    skip_nodes_with_local_storage: bool
    ignore_daemonsets_utilization: bool


@lru_cache(maxsize=2)
def of_training(*, production: bool) -> ScaleDown:
    """The settings of a training cluster, of a production environment or of any other.

    Raises:
        CatalogError: the table is damaged.
    """
    column = "production" if production else "non_production"
    rows = {row.text("setting"): row for row in read(_FILE, ("setting", "non_production", "production", "source"))}

    def number(setting: str) -> float:
        return row_of(rows, setting, f"gpufleet/catalog/data/{_FILE}").number(column)

    def whole(setting: str) -> int:
        return row_of(rows, setting, f"gpufleet/catalog/data/{_FILE}").integer(column)

    return ScaleDown(
        unneeded_minutes=whole("scale_down_unneeded_time"),
        delay_after_add_minutes=whole("scale_down_delay_after_add"),
        utilization_threshold=number("scale_down_utilization_threshold"),
        max_graceful_termination_seconds=whole("max_graceful_termination"),
        skip_nodes_with_local_storage=whole("skip_nodes_with_local_storage") == 1,
        ignore_daemonsets_utilization=whole("ignore_daemonsets_utilization") == 1,
    )

"""How often large training runs fail, and why (data/failure_rates.csv, data/failure_causes.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.measured import PROVENANCE, Measured, provenance
from gpufleet.catalog.table import read, row_of


@dataclass(frozen=True, kw_only=True)
class FailureRate(Measured):
    """Failures of one published run, or a value derived from several. Nodes have 8 GPUs."""

    key: str
    run: str
    per_1000_node_days: float
    gpu_model: str | None
    gpus: int | None
    days: float | None
    failures: int | None
    status: str
    """How the number was had: read, second-hand, derived, or unread (known, its text not found)."""

    @property
    def per_node_day(self) -> float:
        """Failures of one node in one day."""
        return self.per_1000_node_days / 1000


@dataclass(frozen=True, kw_only=True)
class FailureBand:
    """What to plan with: the default and the band of the published runs."""

    low: FailureRate
    default: FailureRate
    high: FailureRate


@dataclass(frozen=True, kw_only=True)
class FailureCause:
    """One cause of interruptions and how often it struck."""

    cause: str
    count: int
    status: str
    source: str


def band() -> FailureBand:
    """Failures per node-day to plan with.

    The law MTBF = 1 / (nodes x rate) holds for large jobs; jobs of a few hundred nodes were seen to fail up to 3.7
    times as often (arXiv 2410.21680).
    """
    return FailureBand(low=get("band_low"), default=get("default"), high=get("band_high"))


def get(key: str) -> FailureRate:
    """One run: bloom, llama3, rsc1, rsc2 or opt. Raises MissingRowError for another."""
    return row_of(_rates(), key, "gpufleet/catalog/data/failure_rates.csv")


def rates() -> tuple[FailureRate, ...]:
    """Every rate of the table."""
    return tuple(_rates().values())


@lru_cache(maxsize=8)
def causes(run: str) -> tuple[FailureCause, ...]:
    """Unexpected interruptions of a run by cause, the most frequent first; known for llama3 alone."""
    columns = ("run", "cause", "count", "status", "source")
    return tuple(
        FailureCause(
            cause=row.text("cause"),
            count=row.integer("count"),
            status=row.text("status"),
            source=row.text("source"),
        )
        for row in read("failure_causes.csv", columns)
        if row.text("run") == run
    )


@lru_cache(maxsize=1)
def _rates() -> dict[str, FailureRate]:
    columns = (
        *("key", "run", "failures_per_1000_node_days", "gpu_model", "gpus", "days", "failures"),
        "status",
        *PROVENANCE,
    )
    rates: dict[str, FailureRate] = {}
    for row in read("failure_rates.csv", columns):
        key = row.text("key")
        if key in rates:
            raise row.error(f"{key} stands twice")
        rates[key] = FailureRate(
            key=key,
            run=row.text("run"),
            per_1000_node_days=row.number("failures_per_1000_node_days"),
            gpu_model=row.optional_text("gpu_model"),
            gpus=row.optional_integer("gpus"),
            days=row.optional_number("days"),
            failures=row.optional_integer("failures"),
            status=row.choice("status", "read", "second-hand", "derived", "unread"),
            **provenance(row),
        )
    return rates

"""How large checkpoints are (data/checkpoints.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import read, row_of


@dataclass(frozen=True, kw_only=True)
class CheckpointSize:
    """Bytes of a checkpoint for each parameter of the model."""

    key: str
    what: str
    bytes_per_parameter: float
    status: str
    source: str
    note: str


def get(key: str) -> CheckpointSize:
    """One case: training_state (14, what to plan with), weights_bf16, gpt3, bloom, opt. Raises MissingRowError."""
    return row_of(_sizes(), key, "gpufleet/catalog/data/checkpoints.csv")


@lru_cache(maxsize=1)
def _sizes() -> dict[str, CheckpointSize]:
    return {
        row.text("key"): CheckpointSize(
            key=row.text("key"),
            what=row.text("what"),
            bytes_per_parameter=row.number("bytes_per_parameter"),
            status=row.choice("status", "read", "arithmetic"),
            source=row.cells["source"],
            note=row.cells["note"],
        )
        for row in read("checkpoints.csv", ("key", "what", "bytes_per_parameter", "status", "source", "note"))
    }

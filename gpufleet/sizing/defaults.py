"""What stands in for a value that nobody states (data/defaults.csv), and shapes of published models."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gpufleet.catalog.table import CatalogError, read, row_of
from gpufleet.sizing.explanation import Input

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, kw_only=True)
class Default:
    """A value with where it comes from."""

    key: str
    value: float
    unit: str
    source: str
    assumed: bool
    """No source gives it: it is this project's choice."""
    note: str

    def as_input(self, name: str) -> Input:
        """The default as an input of a figure."""
        text = f"default {self.key}: {self.note}" if self.assumed else self.source
        return Input(name=name, value=self.value, unit=self.unit, source=text, assumed=self.assumed)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What of a decoder model the KV cache depends on."""

    layers: int
    kv_heads: int
    head_dim: int
    source: str
    assumed: bool = False


def default(key: str) -> Default:
    """The default of this key. Raises MissingRowError for one the table doesn't have."""
    return row_of(_defaults(), key, "gpufleet/sizing/data/defaults.csv")


def architecture(parameters_b: float) -> Architecture:
    """The shape of the smallest published model that is at least as large, else of the largest one.

    KV cache per token grows with the size in the table, so a model between two rows is judged by the larger.

    Args:
        parameters_b: parameters in billions.
    """
    rows = _architectures()
    size, name, found = next((row for row in rows if row[0] >= parameters_b), rows[-1])
    why = "as large at least" if size >= parameters_b else "the largest known; this model is larger, so state its own"
    return dataclasses.replace(found, source=f"no architecture is given: that of {name}, {why}", assumed=True)


@lru_cache(maxsize=1)
def _defaults() -> dict[str, Default]:
    columns = ("key", "value", "unit", "as_of", "source", "confidence", "note")
    return {
        row.text("key"): Default(
            key=row.text("key"),
            value=row.number("value"),
            unit=row.text("unit"),
            source=f"{row.text('source')}, {row.text('as_of')}",
            assumed=row.text("source") == "assumption",
            note=row.text("note"),
        )
        for row in read(_DATA / "defaults.csv", columns)
    }


@lru_cache(maxsize=1)
def _architectures() -> tuple[tuple[float, str, Architecture], ...]:
    columns = ("model", "parameters_b", "layers", "kv_heads", "head_dim", "as_of", "source", "confidence")
    rows = [
        (
            row.number("parameters_b"),
            row.text("model"),
            Architecture(
                layers=row.integer("layers"),
                kv_heads=row.integer("kv_heads"),
                head_dim=row.integer("head_dim"),
                source=row.text("source"),
            ),
        )
        for row in read(_DATA / "architectures.csv", columns)
    ]
    if not rows:
        raise CatalogError("gpufleet/sizing/data/architectures.csv: no rows")
    return tuple(sorted(rows, key=lambda row: row[0]))

"""What every measured or published figure says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypedDict

from gpufleet.catalog.table import Row

PROVENANCE: Final = ("as_of", "source", "confidence", "note")
"""The columns for it."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure with its day, its source and how far to trust it."""

    as_of: str
    """ISO day, month or year, as the source gives it."""
    source: str
    confidence: str
    """high, medium or low."""
    note: str


class Provenance(TypedDict):
    """The fields of `Measured`, to make one with."""

    as_of: str
    source: str
    confidence: str
    note: str


def provenance(row: Row) -> Provenance:
    """Those cells of a row. Raises CatalogError for a missing or unknown one."""
    return {
        "as_of": row.text("as_of"),
        "source": row.text("source"),
        "confidence": row.choice("confidence", "high", "medium", "low"),
        "note": row.cells["note"],
    }

"""The sandbox's own reference tables (``sandbox/data``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gpufleet.catalog.table import Row, read

_DATA = Path(__file__).parent / "data"


def read_table(file: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table, which must have ``columns``.

    Raises:
        CatalogError: the table is missing or damaged.
    """
    return read(_DATA / file, columns)

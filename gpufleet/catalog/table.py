"""Reading reference tables: plain CSV in a package's folder `data`, every mistake in one named by file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources


class CatalogError(Exception):
    """A reference table is missing or damaged; the text names file, line and column."""


@dataclass(frozen=True)
class Row:
    """One line of a table, with typed access to its cells. An empty cell is a value nobody knows."""

    file: str
    line: int
    cells: dict[str, str]
    package: str = "gpufleet.catalog"

    def text(self, column: str) -> str:
        """The cell as it stands; it must not be empty."""
        value = self.cells[column]
        if not value:
            raise self.error(f"{column} is empty")
        return value

    def optional_text(self, column: str) -> str | None:
        """The cell, or None when nobody knows it."""
        return self.cells[column] or None

    def number(self, column: str) -> float:
        """The cell as a finite number of at least 0."""
        value = self.optional_number(column)
        if value is None:
            raise self.error(f"{column} is empty")
        return value

    def optional_number(self, column: str) -> float | None:
        """The cell as a finite number of at least 0, or None."""
        text = self.cells[column]
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.error(f"{column} is {text!r}, not a number") from None
        if not 0 <= value < float("inf"):
            raise self.error(f"{column} is {text}, not a finite number of at least 0")
        return value

    def integer(self, column: str) -> int:
        """The cell as a whole number of at least 0."""
        value = self.number(column)
        if value != int(value):
            raise self.error(f"{column} is {self.cells[column]}, not a whole number")
        return int(value)

    def choice(self, column: str, *values: str) -> str:
        """The cell, which must be one of `values`."""
        value = self.cells[column]
        if value not in values:
            raise self.error(f"{column} is {value!r}, not one of {', '.join(values)}")
        return value

    def error(self, cause: str) -> CatalogError:
        """The error that names this line."""
        return CatalogError(f"{_place(self.package, self.file)}:{self.line}: {cause}")


def read(file: str, columns: tuple[str, ...], *, package: str = "gpufleet.catalog") -> Iterator[Row]:
    """The rows of `data/<file>` in a package, which must have `columns`. Raises CatalogError."""
    try:
        text = (resources.files(package) / "data" / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"{_place(package, file)}: cannot be read: {error}") from None
    return parse(file, text, columns, package=package)


def parse(file: str, text: str, columns: tuple[str, ...], *, package: str = "gpufleet.catalog") -> Iterator[Row]:
    """The rows of a table given as text. Raises CatalogError."""
    place = _place(package, file)
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = next(reader, [])
        if missing := [column for column in columns if column not in header]:
            raise CatalogError(f"{place}:1: column {', '.join(missing)} is missing")
        for cells in reader:
            if len(cells) != len(header):
                raise CatalogError(f"{place}:{reader.line_num}: {len(cells)} cells under {len(header)} columns")
            yield Row(file, reader.line_num, dict(zip(header, cells, strict=True)), package)
    except csv.Error as error:
        raise CatalogError(f"{place}:{reader.line_num}: {error}") from None


def _place(package: str, file: str) -> str:
    return f"{package.replace('.', '/')}/data/{file}"

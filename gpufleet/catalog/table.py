"""Reading reference tables: plain CSV in a package's folder `data`, every mistake in one named by file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from gpufleet.errors import ConfigurationError

_CHECKOUT = Path(__file__).resolve().parents[2]
_CATALOG = "gpufleet.catalog"
_Kept = TypeVar("_Kept")

LARGEST_PRICE = Decimal(1_000_000)
"""USD an hour or a month above which a price is taken for a damaged cell; the dearest known is below 1,000 an hour."""


class CatalogError(ConfigurationError):
    """A reference table is missing or damaged; the text names file, line and column."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or "`git diff` shows what changed in it; `git restore` brings it back.")


class MissingRowError(CatalogError, KeyError):
    """A table lacks a row that is asked for by name."""


@dataclass(frozen=True)
class Row:
    """One line of a table, with typed access to its cells. An empty cell is a value nobody knows."""

    file: str
    line: int
    cells: Mapping[str, str]

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

    def optional_usd(self, column: str) -> Decimal | None:
        """The cell as an exact amount of USD of at least 0, or None."""
        text = self.cells[column]
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise self.error(f"{column} is {text!r}, not a price") from None
        if not value.is_finite() or not 0 <= value <= LARGEST_PRICE:
            raise self.error(f"{column} is {text}, not a price between 0 and {LARGEST_PRICE:,} USD")
        return value

    def integer(self, column: str) -> int:
        """The cell as a whole number of at least 0."""
        value = self.number(column)
        if value != int(value):
            raise self.error(f"{column} is {self.cells[column]}, not a whole number")
        return int(value)

    def optional_integer(self, column: str) -> int | None:
        """The cell as a whole number of at least 0, or None."""
        return self.integer(column) if self.cells[column] else None

    def choice(self, column: str, *values: str) -> str:
        """The cell, which must be one of `values`."""
        value = self.cells[column]
        if value not in values:
            raise self.error(f"{column} is {value!r}, not one of {', '.join(values)}")
        return value

    def error(self, cause: str) -> CatalogError:
        """The error that names this line."""
        return CatalogError(f"{self.file}:{self.line}: {cause}")


def read(file: str | Path, columns: tuple[str, ...], *, package: str = _CATALOG) -> Iterator[Row]:
    """The rows of a table, which must have `columns`.

    Args:
        file: name of a table in the package's folder `data`, or the whole path of one elsewhere.
        columns: the columns that the caller reads; the table may have more.
        package: whose table it is.

    Raises:
        CatalogError: the table is missing or damaged.
    """
    path = _path(file, package)
    return parse(label(path), _text(path), columns)


def parse(file: str, text: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table given as text; `file` is what its errors call it. Raises CatalogError."""
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = _header(file, next(reader, []), columns)
        for cells in reader:
            yield _row(file, reader.line_num, header, cells)
    except csv.Error as error:
        raise CatalogError(f"{file}:{reader.line_num}: {error}") from None


def row_of(rows: Mapping[str, _Kept], key: str, file: str) -> _Kept:
    """The row of this key. Raises MissingRowError, for `file` lacks what the program counts on."""
    try:
        return rows[key]
    except KeyError:
        raise MissingRowError(f"{file}: there is no row {key}") from None


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """A large table by its first column, whose cells are taken apart for a group when it is asked for.

    So a process that needs one size's prices doesn't pay for those of all others, and damage that reaches across lines
    (a cut off file, a merge conflict) is still seen when the table is opened.
    """

    file: str
    header: tuple[str, ...]
    lines: Mapping[str, tuple[tuple[int, str], ...]] = field(repr=False)

    def rows(self, group: str) -> Iterator[Row]:
        """The rows whose first cell is `group`. Raises CatalogError for a damaged one."""
        for number, line in self.lines.get(group, ()):
            try:
                cells = next(csv.reader([line], strict=True))
            except csv.Error as error:
                raise CatalogError(f"{self.file}:{number}: {error}") from None
            yield _row(self.file, number, self.header, cells)


def read_grouped(file: str | Path, columns: tuple[str, ...], *, package: str = _CATALOG) -> Grouped:
    """A table whose first column is `columns[0]`, one line a row.

    Raises:
        CatalogError: the table is missing, or a line of it has too few cells.
    """
    path = _path(file, package)
    name, text = label(path), _text(path)
    lines = text.splitlines()
    header = _header(name, next(csv.reader(lines[:1]), []), columns)
    if header[0] != columns[0]:
        raise CatalogError(f"{name}:1: the first column is {header[0]}, not {columns[0]}")
    if not text.endswith("\n"):
        raise CatalogError(f"{name}:{len(lines)}: the last line has no end, the file seems to be cut off")
    groups: dict[str, list[tuple[int, str]]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.count(",") < len(header) - 1:
            raise CatalogError(f"{name}:{number}: {line.count(',') + 1} cells under {len(header)} columns")
        groups.setdefault(line[: line.index(",")], []).append((number, line))
    return Grouped(file=name, header=header, lines={group: tuple(found) for group, found in groups.items()})


def label(path: Path) -> str:
    """What messages call a file: its path in the checkout, or the whole path of one elsewhere."""
    return str(path.relative_to(_CHECKOUT) if path.is_relative_to(_CHECKOUT) else path)


def _path(file: str | Path, package: str) -> Path:
    return _CHECKOUT / package.replace(".", "/") / "data" / file


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"{label(path)}: cannot be read: {error}") from None


def _header(file: str, header: list[str], columns: tuple[str, ...]) -> tuple[str, ...]:
    if missing := [column for column in columns if column not in header]:
        raise CatalogError(f"{file}:1: column {', '.join(missing)} is missing")
    return tuple(header)


def _row(file: str, line: int, header: tuple[str, ...], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise CatalogError(f"{file}:{line}: {len(cells)} cells under {len(header)} columns")
    return Row(file, line, dict(zip(header, cells, strict=True)))

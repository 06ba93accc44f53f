from __future__ import annotations

import csv
import pathlib
import re
from collections.abc import Callable

import pytest

from gpufleet.catalog import (
    CatalogError,
    checkpoints,
    failures,
    limits,
    lustre,
    prices,
    regions,
    sizes,
    snapshots,
    table,
)
from gpufleet.catalog.table import MissingRowError, Row, parse, read
from gpufleet.sizing import defaults

DATA = pathlib.Path(table.__file__).parent / "data"


def test_rows_know_their_line() -> None:
    rows = list(parse("x.csv", 'a,b\n1,"x, y"\n2,\n', ("a", "b")))
    assert rows == [Row("x.csv", 2, {"a": "1", "b": "x, y"}), Row("x.csv", 3, {"a": "2", "b": ""})]
    assert (rows[0].integer("a"), rows[0].text("b"), rows[1].optional_text("b")) == (1, "x, y", None)
    assert rows[1].optional_number("b") is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "x.csv:1: column a, b is missing"),
        ("a\n", "x.csv:1: column b is missing"),
        ("a,b\n1\n", "x.csv:2: 1 cells under 2 columns"),
        ('a,b\n1,"x\n', "x.csv:2: unexpected end of data"),
    ],
)
def test_damaged_tables(text: str, error: str) -> None:
    with pytest.raises(CatalogError) as caught:
        list(parse("x.csv", text, ("a", "b")))
    assert caught.value.message == error


@pytest.mark.parametrize(
    ("cell", "kind", "error"),
    [
        ("", "text", "a is empty"),
        ("", "number", "a is empty"),
        ("x", "number", "a is 'x', not a number"),
        ("-1", "number", "a is -1, not a finite number of at least 0"),
        ("inf", "optional_number", "a is inf, not a finite number of at least 0"),
        ("nan", "optional_number", "a is nan, not a finite number of at least 0"),
        ("1.5", "integer", "a is 1.5, not a whole number"),
    ],
)
def test_damaged_cells(cell: str, kind: str, error: str) -> None:
    with pytest.raises(CatalogError) as caught:
        getattr(Row("x.csv", 7, {"a": cell}), kind)("a")
    assert caught.value.message == f"x.csv:7: {error}"


def test_a_choice() -> None:
    row = Row("x.csv", 7, {"a": "maybe"})
    with pytest.raises(CatalogError, match=r"x.csv:7: a is 'maybe', not one of yes, no"):
        row.choice("a", "yes", "no")


def test_a_missing_table() -> None:
    with pytest.raises(CatalogError, match=r"gpufleet/catalog/data/none.csv: cannot be read"):
        list(read("none.csv", ()))


def test_every_table_loads_whole() -> None:
    assert len(sizes.names()) == 73
    assert len(regions.names()) == 60
    assert len(lustre.names()) == 4
    assert len(limits.reserved_ranges()) == 5
    listed = list(read(snapshots.current().path, ("sku", "region")))
    assert len(listed) == 2998
    for row in listed:
        size, region = row.text("sku"), row.text("region")
        assert isinstance(prices.regular(size, region), prices.Priced)
        assert isinstance(prices.spot(size, region), prices.Priced | prices.Unpriced)
        assert regions.find(region)


README = (DATA / "README.md").read_text()


def _records(file: pathlib.Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


def test_every_table_is_described_with_its_length() -> None:
    described: dict[str, int] = {}
    for names, counts in re.findall(r"^\| (`.*?csv`) \| ([\d, ]+) \|", README, flags=re.MULTILINE):
        found = re.findall(r"`(.*?)`", names)
        numbers = [int(number.replace(",", "")) for number in counts.split(", ")]
        described |= dict(zip(found, numbers, strict=True))
    assert described == {file.name: len(_records(file)) for file in DATA.glob("*.csv")}


# Their rows name a page in words, for nobody else cites them.
IN_WORDS = {"arm_ids.csv", "azure_errors.csv"}


@pytest.mark.parametrize("file", sorted(file.name for file in DATA.glob("*.csv") if file.name not in IN_WORDS))
def test_every_row_has_a_source_that_the_readme_explains(file: str) -> None:
    section = README[README.index("## Sources") : README.index("## What to know")]
    known = {
        key.strip() for line in section.splitlines() if line.startswith("| ") for key in line.split("|")[1].split(",")
    }
    for row in _records(DATA / file):
        cited = {
            key
            for column in row
            if column.endswith(("source", "sources")) and column != "gpu_resource"
            for key in row[column].split(";")
            if key
        }
        assert cited <= known, row
        confidences = {row[column] for column in row if column.endswith("confidence")} - {""}
        assert confidences <= {"high", "medium", "low", "missing"}, row


@pytest.mark.parametrize(
    ("get", "file"),
    [
        (limits.get, "catalog/data/limits.csv"),
        (lustre.get, "catalog/data/lustre_skus.csv"),
        (checkpoints.get, "catalog/data/checkpoints.csv"),
        (failures.get, "catalog/data/failure_rates.csv"),
        (defaults.default, "sizing/data/defaults.csv"),
    ],
)
def test_a_row_that_the_program_counts_on_and_the_table_lacks(get: Callable[[str], object], file: str) -> None:
    with pytest.raises(MissingRowError) as caught:
        get("nothing")
    assert caught.value.message == f"gpufleet/{file}: there is no row nothing"
    assert caught.value.hint == "`git diff` shows what changed in it; `git restore` brings it back."

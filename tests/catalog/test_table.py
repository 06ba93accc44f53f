from __future__ import annotations

import pathlib

import pytest

from gpufleet.catalog import CatalogError, limits, lustre, prices, regions, sizes, snapshots, table
from gpufleet.catalog.table import Row, parse, read

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


def test_every_table_is_described() -> None:
    readme = (DATA / "README.md").read_text()
    assert [file.name for file in sorted(DATA.glob("*.csv")) if f"`{file.name}`" not in readme] == []

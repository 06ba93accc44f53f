"""The tables of docs/guides/sizing.md from the code: `python -m tests.sizing.write_guide` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gpufleet.sizing.examples import examples
from gpufleet.sizing.explanation import Figure, shown

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "sizing.md"
_BLOCK = re.compile(r"(<!-- table: (?P<title>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The guide's text with every table as the code has it now. Raises KeyError for a table the code doesn't have."""
    by_title = {one.title: one.figures for one in examples()}
    return _BLOCK.sub(lambda match: f"{match[1]}{table(match['title'], by_title[match['title']])}{match[3]}", text)


def titles(text: str) -> list[str]:
    """The tables that the guide has."""
    return [match["title"] for match in _BLOCK.finditer(text)]


def table(title: str, figures: tuple[Figure, ...]) -> str:
    """One table in markdown."""
    rows = list(_young(figures)) if title.startswith("Young") else list(_plain(figures))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _plain(figures: tuple[Figure, ...]) -> Iterator[tuple[str, ...]]:
    yield "figure", "value", "formula"
    yield "---", "---:", "---"
    for figure in figures:
        yield figure.name, f"{shown(figure.value)} {figure.unit}".strip(), figure.formula


def _young(figures: tuple[Figure, ...]) -> Iterator[tuple[str, ...]]:
    yield "nodes and checkpoint", "MTBF", "Young", "loss √(2C/M)", "exact optimum", "exact loss"
    yield "---", "---:", "---:", "---:", "---:", "---:"
    for figure in figures:
        given = {one.name: one for one in figure.inputs}
        yield (
            figure.name,
            f"{float(given['M'].value):.1f} h",
            f"{float(figure.value):.0f} min",
            f"{float(given['waste'].value):.1f} %",
            f"{float(given['exact optimum'].value):.0f} min",
            f"{float(given['exact loss'].value):.1f} %",
        )


if __name__ == "__main__":
    GUIDE.write_text(filled(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")

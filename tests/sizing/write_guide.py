"""The tables of the sizing guides from the code: `python -m tests.sizing.write_guide` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gpufleet.sizing.examples import PREDICTED, examples
from gpufleet.sizing.explanation import Figure, shown

_FOLDER = Path(__file__).parents[2] / "docs" / "guides"
GUIDES = (_FOLDER / "sizing.md", _FOLDER / "inference-sizing.md")
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
    shape = _young if title.startswith("Young") else _predicted if title == PREDICTED else _plain
    rows = list(shape(figures))
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


def _predicted(figures: tuple[Figure, ...]) -> Iterator[tuple[str, ...]]:
    yield "run", "sequences at once", "predicted", "measured", "error"
    yield "---", "---:", "---:", "---:", "---:"
    for figure in figures:
        given = {one.name: float(one.value) for one in figure.inputs}
        yield (
            f"{figure.name}{' ¹' if figure.note else ''}",
            f"{given['sequences']:,.0f}",
            f"{float(figure.value):,.0f}",
            f"{given['measured']:,.0f}",
            f"{given['error']:+.0f} %",
        )


if __name__ == "__main__":
    for guide in GUIDES:
        guide.write_text(filled(guide.read_text(encoding="utf-8")), encoding="utf-8")

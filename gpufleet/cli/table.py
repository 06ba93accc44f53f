"""Columns of text, for a terminal and for `grep` alike: no colours, no lines, one row a line."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Rows of equal length as lines, each column as wide as its widest cell; the last is not padded.

    Args:
        rows: the first is the head.
        right: indexes of columns that are aligned to the right, such as amounts.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

"""The outlook of the sample as one text: `python -m tests.outlook.golden` writes it."""

from __future__ import annotations

from pathlib import Path

from gpufleet.outlook import words
from tests.outlook.samples import ahead

FILE = Path(__file__).parent / "three_regions.txt"


def text() -> str:
    """All tables, and what is said beside them."""
    found = ahead()
    tables = (
        (words.LOSS_HEAD, words.loss_rows(found)),
        (words.MODEL_HEAD, words.model_rows(found)),
        (words.MOVED_HEAD, words.moved_rows(found)),
        (words.DAY_HEAD, words.day_rows(found)),
        (words.QUOTA_HEAD, words.quota_rows(found)),
    )
    lines = [words.day_line(found), *words.remarks(found)]
    for head, rows in tables:
        lines += ["", *(" | ".join(row) for row in (head, *rows))]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

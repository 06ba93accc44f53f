"""What people see, whole, at two widths; see goldens.py."""

from __future__ import annotations

import pytest

from tests.cli.progress.goldens import FOLDER, renderings

RENDERINGS = dict(renderings())


@pytest.mark.parametrize("name", sorted(RENDERINGS))
def test_looks_as_agreed(name: str) -> None:
    assert RENDERINGS[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert sorted(RENDERINGS) == sorted(path.name for path in FOLDER.glob("*.txt"))

"""A folder of negotiated prices, for the tests that have some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.catalog import prices


@pytest.fixture
def own_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The team's folder of price lists, empty."""
    folder = tmp_path / "prices"
    folder.mkdir()
    monkeypatch.setenv("GPUFLEET_PRICES", str(folder))
    prices.forget()
    yield folder
    monkeypatch.undo()
    prices.forget()

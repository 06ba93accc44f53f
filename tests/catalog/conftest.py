"""A price API, and a folder for price lists of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.catalog import prices
from tests.catalog.price_api import PriceApi, serving


@pytest.fixture
def api() -> Iterator[PriceApi]:
    """A price API on this machine."""
    with serving() as served:
        yield served


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

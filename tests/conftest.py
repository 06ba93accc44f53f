"""Shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Helpers that several folders import: their asserts explain themselves too. Here, for only the first conftest is read
# before anything imports them.
pytest.register_assert_rewrite(
    "tests.spec.environments", "tests.components.graphs", "tests.recordings.streams", "tests.policies.agreement"
)

# The price list that ships: one that somebody refreshed in this checkout would change what the tests expect.
os.environ["GPUFLEET_PRICES"] = str(Path(__file__).parent / "no-prices")


@pytest.fixture
def own_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The team's folder of price lists, empty."""
    from gpufleet.catalog import prices

    folder = tmp_path / "prices"
    folder.mkdir()
    monkeypatch.setenv("GPUFLEET_PRICES", str(folder))
    prices.forget()
    yield folder
    monkeypatch.undo()
    prices.forget()

"""Shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Helpers that several folders import: their asserts explain themselves too. Here, for only the first conftest is read
# before anything imports them.
pytest.register_assert_rewrite("tests.spec.environments", "tests.components.graphs", "tests.recordings.streams")

# The price list that ships: one that somebody refreshed in this checkout would change what the tests expect.
os.environ["GPUFLEET_PRICES"] = str(Path(__file__).parent / "no-prices")

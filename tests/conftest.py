"""Shared by all tests."""

from __future__ import annotations

import pytest

# Helpers that several folders import: their asserts explain themselves too. Here, for only the first conftest is read
# before anything imports them.
pytest.register_assert_rewrite("tests.spec.environments", "tests.components.graphs", "tests.recordings.streams")

"""A price API, and a folder for price lists of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalog.price_api import PriceApi, serving


@pytest.fixture
def api() -> Iterator[PriceApi]:
    """A price API on this machine."""
    with serving() as served:
        yield served

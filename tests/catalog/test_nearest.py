from __future__ import annotations

import pytest

from gpufleet.catalog.nearest import nearest_name

_REGIONS = ["westus", "eastus", "eastus2", "westeurope", "northeurope", "southcentralus", "uksouth"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("estus", "eastus"),  # as like to westus, but that begins otherwise
        ("wstus", "westus"),
        ("East US", "eastus"),
        ("EastUS-2", "eastus2"),
        ("southcentral", "southcentralus"),
        ("uksuoth", "uksouth"),
        ("mars", None),
        ("", None),
        ("x" * 10_000_000, None),
    ],
)
def test_the_nearest_name(name: str, nearest: str | None) -> None:
    assert nearest_name(name, _REGIONS) == nearest
    assert nearest_name(name, _REGIONS[::-1]) == nearest


def test_nothing_is_near_in_nothing() -> None:
    assert nearest_name("eastus", []) is None

"""Mutations of staging's and prod's resources in Azure: refused by name, optional by Microsoft's models, or listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.contract import ContractBook
from tests.sandbox.azure.azure_mutations import Laboratory, campaign, every_kind_of_place, not_covered

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, ContractBook("azure-native"), ("staging", "prod"))


def test_five_hundred_drawn_mutations(laboratory: Laboratory) -> None:
    verdicts = campaign(laboratory, 500)
    assert verdicts.holes == []
    assert sum(verdicts.counts.values()) == 500


def test_every_property_of_every_type_in_every_way(laboratory: Laboratory) -> None:
    verdicts = every_kind_of_place(laboratory)
    assert verdicts.holes == []
    assert sum(verdicts.counts.values()) > 1500
    # A row that nothing needs any more goes.
    assert verdicts.used == set(not_covered())

"""Mutations of the stacks' Kubernetes objects and of one object of each kind: refused by path, harmless, or listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.contract import ContractBook
from tests.sandbox.kubernetes.mutations import Laboratory, Verdicts, campaign, mutations, not_covered

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, ContractBook("kubernetes"))


def test_five_hundred_drawn_mutations(laboratory: Laboratory) -> None:
    verdicts = campaign(laboratory, 500)
    assert verdicts.holes == []
    assert sum(verdicts.counts.values()) == 500


def test_every_field_of_every_object_in_every_way(laboratory: Laboratory) -> None:
    verdicts = Verdicts()
    for mutation in mutations():
        laboratory.judge(mutation, verdicts)
    assert verdicts.holes == []
    assert sum(verdicts.counts.values()) == len(mutations()) > 5000
    # A row that nothing needs any more goes.
    assert verdicts.used == set(not_covered())

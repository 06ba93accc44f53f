"""Mutations of staging's and prod's real resources: a sample here, all of them in tests/soak."""

from __future__ import annotations

from pathlib import Path

from sandbox.contract import ContractBook
from tests.sandbox.azure.azure_mutations import Laboratory, campaign, not_covered


def test_sixty_mutations_are_refused_by_name_or_listed(tmp_path: Path, azure_book: ContractBook) -> None:
    verdicts = campaign(Laboratory(tmp_path, azure_book, ("staging", "prod")), 60)
    assert verdicts.holes == []
    assert sum(verdicts.counts.values()) == 60
    assert verdicts.counts["refused at check"] > 30


def test_the_list_of_what_is_not_covered_is_read_from_the_guide() -> None:
    rows = not_covered()
    assert len(rows) == len({(row.kind, row.type, row.property) for row in rows}) > 5
    assert {kind for row in rows for kind in row.kind.split(", ")} <= {"rename", "range", "enum", "reference", "format"}

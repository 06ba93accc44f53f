"""Mutations of Kubernetes objects: a sample here, all of them in tests/soak."""

from __future__ import annotations

from pathlib import Path

from sandbox.contract import ContractBook
from tests.sandbox.kubernetes.mutations import Laboratory, campaign, not_covered


def test_sixty_mutations_are_refused_by_path_or_listed(tmp_path: Path, kubernetes_book: ContractBook) -> None:
    verdicts = campaign(Laboratory(tmp_path, kubernetes_book), 60)
    assert verdicts.holes == []
    assert sum(verdicts.counts.values()) == 60
    assert verdicts.counts["refused"] > 15


def test_the_list_of_what_is_not_covered_is_read_from_the_guide() -> None:
    rows = not_covered()
    assert len(set(rows)) == len(rows) > 10
    assert {op for ops, _ in rows for op in ops.split(", ")} <= {"rename", "retype", "format", "range"}

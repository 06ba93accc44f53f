"""Where somebody is known to have deployed a size (data/deployment_evidence.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gpufleet.catalog.table import read


class EvidenceKind(StrEnum):
    """How strong the evidence is, the strongest first."""

    RUN = "run"
    """A published run on this size in this region."""
    WALKTHROUGH = "walkthrough"
    """Documentation that walks through such a deployment."""
    LISTING = "listing"
    """A third party's catalogue lists it."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One trace of a size in a region."""

    region: str
    size: str
    kind: EvidenceKind
    as_of: str
    source: str
    note: str


def of(size: str, region: str) -> tuple[Evidence, ...]:
    """What is known of `size` in `region`; empty means that nobody told, not that it can't be had."""
    return tuple(item for item in everything() if (item.size, item.region) == (size, region))


@lru_cache(maxsize=1)
def everything() -> tuple[Evidence, ...]:
    """All of it."""
    return tuple(
        Evidence(
            region=row.text("region"),
            size=row.text("sku"),
            kind=EvidenceKind(row.choice("kind", *EvidenceKind)),
            as_of=row.text("as_of"),
            source=row.text("source"),
            note=row.cells["note"],
        )
        for row in read("deployment_evidence.csv", ("region", "sku", "kind", "as_of", "source", "note"))
    )

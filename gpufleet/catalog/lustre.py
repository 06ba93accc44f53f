"""Managed Lustre SKUs (data/lustre_skus.csv) and the subnet a capacity needs (data/lustre_subnets.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog import limits
from gpufleet.catalog.table import read, row_of


@dataclass(frozen=True, kw_only=True)
class LustreSku:
    """One SKU; capacities in TiB."""

    name: str
    mbytes_per_s_per_tib: int
    min_tib: int
    step_tib: int
    max_tib_default: int
    """What a subscription may have without asking (portal page, 2024)."""
    max_tib_documented: int
    """What Azure documents at most (2026); the two sources disagree, so the first warns and the second refuses."""


def get(name: str) -> LustreSku:
    """The SKU of this ARM name, such as `AMLFS-Durable-Premium-250`. Raises MissingRowError for an unknown one."""
    return row_of(_skus(), name, "gpufleet/catalog/data/lustre_skus.csv")


def names() -> tuple[str, ...]:
    """All SKUs, the slowest first."""
    return tuple(_skus())


def subnet_prefix(capacity_tib: float) -> int:
    """Prefix length of the smallest subnet that Azure accepts for a file system of `capacity_tib`.

    Documentation has a table to 400 TiB and allows a /27; the API's text asks for a /24 at least, and the larger of
    both is taken. Beyond 400 TiB the table is continued by doubling.
    """
    longest = limits.value("lustre.subnet_longest_prefix")
    largest, prefix = 0.0, longest
    for largest, prefix in _subnets():
        if capacity_tib <= largest:
            return min(prefix, longest)
    while capacity_tib > largest and prefix > 0:
        largest, prefix = largest * 2, prefix - 1
    return prefix


@lru_cache(maxsize=1)
def _skus() -> dict[str, LustreSku]:
    return {
        row.text("sku"): LustreSku(
            name=row.text("sku"),
            mbytes_per_s_per_tib=row.integer("mbytes_per_s_per_tib"),
            min_tib=row.integer("min_tib"),
            step_tib=row.integer("step_tib"),
            max_tib_default=row.integer("max_tib_default"),
            max_tib_documented=row.integer("max_tib_documented"),
        )
        for row in read(
            "lustre_skus.csv",
            ("sku", "mbytes_per_s_per_tib", "min_tib", "step_tib", "max_tib_default", "max_tib_documented"),
        )
    }


@lru_cache(maxsize=1)
def _subnets() -> tuple[tuple[float, int], ...]:
    return tuple(
        (row.number("max_tib"), row.integer("prefix")) for row in read("lustre_subnets.csv", ("max_tib", "prefix"))
    )

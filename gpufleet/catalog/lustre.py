"""Managed Lustre: SKUs, the subnet that a capacity needs, and the nodes that have a client (data/lustre_*.csv)."""

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


@dataclass(frozen=True, kw_only=True)
class LustreClient:
    """The Lustre client that the CSI driver loads on nodes of one operating system; without it they mount nothing."""

    os_sku: str
    """`kubernetes.azure.com/os-sku-effective` of the node."""
    architectures: tuple[str, ...]
    """`kubernetes.io/arch` that its image is there for."""
    version: str
    """A kernel module, built for a list of kernels."""


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


def clients(os_sku: str, architecture: str) -> tuple[LustreClient, ...]:
    """The clients that may fit nodes of an AKS `osSKU`: `Ubuntu` alone leaves the release to AKS."""
    return tuple(
        client for client in _clients() if client.os_sku.startswith(os_sku) and architecture in client.architectures
    )


@lru_cache(maxsize=1)
def _clients() -> tuple[LustreClient, ...]:
    return tuple(
        LustreClient(
            os_sku=row.text("os_sku_effective"),
            architectures=tuple(row.text("architectures").split(";")),
            version=row.text("client"),
        )
        for row in read("lustre_clients.csv", ("os_sku_effective", "flavor", "architectures", "client"))
    )


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

"""Limits of Azure and AKS (data/limits.csv) and the address ranges nobody may use (data/reserved_ranges.csv)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import read, row_of


@dataclass(frozen=True)
class Limit:
    """One documented limit."""

    value: int
    unit: str
    as_of: str
    source: str
    note: str


@dataclass(frozen=True)
class ReservedRange:
    """An IPv4 range that a virtual network, pod or service range must not touch."""

    network: ipaddress.IPv4Network
    reserved_by: str
    note: str


def get(key: str) -> Limit:
    """The limit of this key, such as `aks.nodes_per_cluster`. Raises MissingRowError for another."""
    return row_of(_limits(), key, "gpufleet/catalog/data/limits.csv")


def value(key: str) -> int:
    """The number of the limit of this key."""
    return get(key).value


@lru_cache(maxsize=1)
def reserved_ranges() -> tuple[ReservedRange, ...]:
    """The ranges that InfiniBand and AKS keep for themselves."""
    ranges = []
    for row in read("reserved_ranges.csv", ("cidr", "reserved_by", "note")):
        try:
            network = ipaddress.IPv4Network(row.text("cidr"))
        except ValueError as error:
            raise row.error(str(error)) from None
        ranges.append(ReservedRange(network, row.text("reserved_by"), row.cells["note"]))
    return tuple(ranges)


@lru_cache(maxsize=1)
def _limits() -> dict[str, Limit]:
    return {
        row.text("key"): Limit(
            row.integer("value"), row.text("unit"), row.text("as_of"), row.text("source"), row.cells["note"]
        )
        for row in read("limits.csv", ("key", "value", "unit", "as_of", "source", "note"))
    }

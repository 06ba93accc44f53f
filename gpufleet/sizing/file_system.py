"""A parallel file system that holds enough and is fast enough: Managed Lustre, or blob storage behind a local cache."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gpufleet.catalog import lustre
from gpufleet.sizing.numbers import SizingError, at_least_one, not_negative, positive

_LARGEST_TIB = 1e9
_MB = 1e6
_TIB = 2**40


@dataclass(frozen=True, kw_only=True)
class FileSystem:
    """One Managed Lustre file system."""

    sku: str
    capacity_tib: float
    """In whole steps of the SKU, at least its minimum."""
    bytes_per_second: float
    """Throughput that comes with the capacity."""
    speed_decides: bool
    """Whether it is larger than what it holds, for the sake of its throughput."""
    over_default_maximum: bool
    """Larger than Azure grants without asking (portal page, 2024)."""
    over_documented_maximum: bool
    """Larger than any document allows (2026)."""
    subnet_prefix: int
    """Prefix length of the smallest subnet that Azure accepts for it."""


def of_sku(sku: str, *, hold_tib: float, bytes_per_second: float) -> FileSystem:
    """The smallest file system of a SKU that holds `hold_tib` and gives `bytes_per_second`.

    Throughput is capacity times the SKU's rate, and the capacity comes in steps (azure-managed-lustre
    create-file-system-portal).

    Args:
        sku: ARM name, such as `AMLFS-Durable-Premium-250`.
        hold_tib: TiB that it must hold.
        bytes_per_second: read and write rate that it must give, 0 for any.

    Raises:
        SizingError: an unknown SKU or a number out of range.
    """
    try:
        facts = lustre.get(sku)
    except KeyError:
        raise SizingError(f"{sku} is no Managed Lustre SKU; there are {', '.join(lustre.names())}") from None
    hold = positive("capacity to hold (TiB)", hold_tib, at_most=_LARGEST_TIB)
    rate_per_tib = facts.mbytes_per_s_per_tib * _MB
    fast = not_negative("throughput (bytes/s)", bytes_per_second) / rate_per_tib
    if fast > _LARGEST_TIB:
        raise SizingError(f"{bytes_per_second:g} bytes/s is more than any number of {sku} file systems gives")
    for_size = max(facts.min_tib, math.ceil(hold / facts.step_tib) * facts.step_tib)
    # A rate that comes out of a bisection must not cost a step for its last digit.
    for_speed = math.ceil(fast / facts.step_tib * (1 - 1e-9)) * facts.step_tib
    capacity = float(max(for_size, for_speed))
    return FileSystem(
        sku=sku,
        capacity_tib=capacity,
        bytes_per_second=capacity * rate_per_tib,
        speed_decides=for_speed > for_size,
        over_default_maximum=capacity > facts.max_tib_default,
        over_documented_maximum=capacity > facts.max_tib_documented,
        subnet_prefix=lustre.subnet_prefix(capacity),
    )


def choose(*, hold_tib: float, bytes_per_second: float, spare_share: float) -> FileSystem:
    """The SKU and capacity to take: the slowest SKU that is little larger than what it holds, else the least capacity.

    No public source prices Managed Lustre, so price can't decide; terabytes bought for speed or to reach a minimum are
    waste at any price. File systems within the default maximum come before those that need a support request.

    Args:
        hold_tib: TiB that it must hold.
        bytes_per_second: rate that it must give.
        spare_share: how much larger than `hold_tib` is little, as a share of it.

    Raises:
        SizingError: no SKU is documented to be large enough, or a number is out of range.
    """
    every = [of_sku(sku, hold_tib=hold_tib, bytes_per_second=bytes_per_second) for sku in lustre.names()]
    allowed = [one for one in every if not one.over_documented_maximum]
    if not allowed:
        largest = max(lustre.get(sku).max_tib_documented for sku in lustre.names())
        raise SizingError(
            f"no Managed Lustre file system holds {hold_tib:,.0f} TiB at {bytes_per_second / 1e9:,.0f} GB/s: the "
            f"largest documented has {largest:,} TiB",
            hint="Split the fabric or the dataset, or allow a larger checkpoint loss.",
        )
    within = [one for one in allowed if not one.over_default_maximum] or allowed
    # Names come the slowest first.
    close = (one for one in within if one.capacity_tib <= hold_tib * (1 + spare_share))
    return next(close, min(within, key=lambda one: one.capacity_tib))


@dataclass(frozen=True, kw_only=True)
class BlobWithCache:
    """Whether blob storage with a cache on the nodes' own NVMe would do instead."""

    reads: bool
    writes: bool
    reasons: tuple[str, ...]
    """Why not, one sentence each; empty when it would do."""

    @property
    def would_do(self) -> bool:
        """Both directions are fast enough."""
        return self.reads and self.writes


def blob_with_cache(
    *,
    dataset_tib: float,
    read_bytes_per_s: float,
    write_bytes_per_s: float,
    nodes: int,
    nvme_bytes_per_node: float,
    node_read_bytes_per_s: float,
    ingress_bytes_per_s: float,
    egress_bytes_per_s: float,
) -> BlobWithCache:
    """Judge one storage account behind a per-node cache.

    Reads: when every node holds the dataset on its NVMe, only the first pass comes from blob; else all reads do.
    Writes: checkpoints must leave the node, so the account's ingress bounds them.

    Args:
        dataset_tib: dataset as stored.
        read_bytes_per_s: rate the job reads at.
        write_bytes_per_s: rate checkpoints must be written at.
        nodes: nodes of the job.
        nvme_bytes_per_node: local NVMe that the cache may fill, 0 without.
        node_read_bytes_per_s: what one node reads from blob, measured.
        ingress_bytes_per_s: the account's ingress limit.
        egress_bytes_per_s: the account's egress limit.

    Raises:
        SizingError: a number out of range.
    """
    count = at_least_one("nodes", nodes)
    cached = positive("dataset (TiB)", dataset_tib, at_most=_LARGEST_TIB) * _TIB <= not_negative(
        "NVMe bytes", nvme_bytes_per_node
    )
    bound = min(
        count * positive("node read rate", node_read_bytes_per_s), positive("account egress", egress_bytes_per_s)
    )
    reads = cached or positive("read rate", read_bytes_per_s) <= bound
    writes = positive("write rate", write_bytes_per_s) <= positive("account ingress", ingress_bytes_per_s)
    reasons = []
    if not reads:
        reasons.append(
            f"the dataset of {dataset_tib:g} TiB doesn't fit into a node's NVMe, and blob gives {bound / 1e9:.3g} GB/s "
            f"of the {read_bytes_per_s / 1e9:.3g} GB/s that the job reads"
        )
    if not writes:
        reasons.append(
            f"checkpoints need {write_bytes_per_s / 1e9:.3g} GB/s, "
            f"one account takes {ingress_bytes_per_s / 1e9:.3g} GB/s"
        )
    return BlobWithCache(reads=reads, writes=writes, reasons=tuple(reasons))

"""Nodes: agent pools and the cluster with its inline system pool."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from gpufleet.catalog import sizes
from gpufleet.catalog.table import read
from gpufleet.cost.charge import Category, Charge, Meter, ServiceMeter, VmMeter
from gpufleet.cost.item import Placed, number
from gpufleet.cost.money import Bounds
from gpufleet.cost.pricers.context import Context, unknown
from gpufleet.spec.base import Priority
from gpufleet.spec.upgrade import share_of

DEFAULT_SURGE = "10%"
"""What AKS surges by where nothing is stated (upgrade-aks-node-pools-rolling)."""

_MOST_NODES = 1_000_000
"""More is a mistake, and not money: AKS has 1,000 nodes a pool (container-service-limits)."""
_UNKNOWN_SIZE = "a VM size that is not known yet"


@dataclass(frozen=True)
class DiskTier:
    """A tier of Premium SSD managed disks."""

    gib: int
    meter: str


@dataclass(frozen=True, kw_only=True)
class PoolNodes:
    """The nodes of an agent pool or an inline pool.

    Attributes:
        meter: what one node is charged as; a text where its size is not known.
        surge: nodes that an upgrade adds at most.
    """

    name: str
    meter: VmMeter | str
    nodes: Bounds
    surge: int


def agent_pool(context: Context, item: Placed) -> Iterator[Charge]:
    """Nodes between the pool's minimum and maximum, and their OS disks where these are managed ones."""
    pool = agent_pool_nodes(context, item)
    if pool is None:
        yield Charge(category=Category.COMPUTE, meter=_meter(item), quantity=unknown("its number of nodes"))
        return
    yield Charge(category=Category.COMPUTE, meter=pool.meter, quantity=pool.nodes, note=_note(context, item))
    yield from _os_disks(pool.meter, item.number("osDiskSizeGB"), pool.nodes)


def agent_pool_nodes(context: Context, item: Placed) -> PoolNodes | None:
    """The nodes of an `AgentPool`; None when their number is not known, or none that a pool can have."""
    autoscaled = item.at("enableAutoScaling") is True
    least = item.number("minCount" if autoscaled else "count")
    most = item.number("maxCount" if autoscaled else "count")
    if least is None or most is None or not 0 <= least <= most <= _MOST_NODES:
        return None
    expected = most
    load = context.loads.get((item.scope.name, item.pool.name)) if item.scope and item.pool else None
    if autoscaled and load is not None:
        expected = min(max(load.nodes, least), most)
    meter = _meter(item)
    spot = item.text("scaleSetPriority") == "Spot"
    surge = "0" if spot else (item.text("upgradeSettings", "maxSurge") or DEFAULT_SURGE)
    return PoolNodes(
        name=item.pool_name,
        meter=meter,
        nodes=Bounds(least, expected, most),
        surge=share_of(surge, math.ceil(most)),
    )


def managed_cluster(context: Context, item: Placed) -> Iterator[Charge]:
    """The control plane at its tier, the inline pools, and the endpoint of a private API server."""
    del context
    tier = item.text("sku", "tier")
    plane: Meter | str = "a control plane whose tier is not known yet"
    if tier is not None:
        plane = _CONTROL_PLANES.get(tier, f"a control plane of the tier {tier}")
    yield Charge(category=Category.CONTROL_PLANE, meter=plane, quantity=Bounds.fixed(1))
    if item.at("apiServerAccessProfile", "enablePrivateCluster") is True:
        yield Charge(
            category=Category.NETWORK,
            meter=ServiceMeter("Private Endpoint", "Endpoint"),
            quantity=Bounds.fixed(1),
            note="of the private API server, made by AKS",
        )
    pools = inline_pools(item)
    if pools is None:
        yield Charge(category=Category.COMPUTE, meter=_UNKNOWN_SIZE, quantity=unknown("its pools"))
        return
    for pool, os_disk in pools:
        yield Charge(category=Category.COMPUTE, meter=pool.meter, quantity=pool.nodes, note=f"system pool, {pool.name}")
        yield from _os_disks(pool.meter, os_disk, pool.nodes)


def inline_pools(item: Placed) -> list[tuple[PoolNodes, Decimal | None]] | None:
    """The inline pools of a `ManagedCluster` with their OS disks in GiB; None when they are not known."""
    records = item.records("agentPoolProfiles")
    if records is None:
        return None
    found = [_inline_pool(record) for record in records]
    return [pool for pool in found if pool is not None] if None not in found else None


def os_disk_tier(gib: Decimal) -> DiskTier | None:
    """The smallest tier that holds a disk; None beyond the largest."""
    return next((tier for tier in _disk_tiers() if gib <= tier.gib), None)


_CONTROL_PLANES: Mapping[str, Meter] = {
    "Free": ServiceMeter("AKS", "Control plane Free"),
    "Standard": ServiceMeter("AKS", "Control plane Standard (uptime SLA)"),
    "Premium": ServiceMeter("AKS", "Control plane Premium (Standard + LTS)"),
}


def _meter(item: Placed) -> VmMeter | str:
    size, priority = item.text("vmSize"), item.at("scaleSetPriority")
    if size is None or (priority is not None and not isinstance(priority, str)):
        return _UNKNOWN_SIZE
    return VmMeter(size, Priority.SPOT if priority == "Spot" else Priority.REGULAR)


def _inline_pool(record: Mapping[str, object]) -> tuple[PoolNodes, Decimal | None] | None:
    size, name = record.get("vmSize"), record.get("name")
    autoscaled = record.get("enableAutoScaling") is True
    least = number(record.get("minCount" if autoscaled else "count"))
    most = number(record.get("maxCount" if autoscaled else "count"))
    if least is None or most is None or not 0 <= least <= most <= _MOST_NODES or not isinstance(size, str):
        return None
    pool = PoolNodes(
        name=str(name),
        meter=VmMeter(size, Priority.REGULAR),
        nodes=Bounds(least, most, most),
        surge=share_of(DEFAULT_SURGE, math.ceil(most)),
    )
    return pool, number(record.get("osDiskSizeGB"))


def _os_disks(meter: VmMeter | str, gib: Decimal | None, nodes: Bounds) -> Iterator[Charge]:
    """Managed OS disks; none where the disk is an ephemeral one, which the VM's price includes.

    Unless told otherwise AKS makes it ephemeral where the VM has room (concepts-storage). Room here is the temporary
    disk: sizes of VM caches are in no table of the catalogue, so a disk that fits into the cache alone is priced.
    """
    size = sizes.find(meter.size) if isinstance(meter, VmMeter) else None
    if size is None:
        what = meter if isinstance(meter, str) else f"{meter.size}, which the catalogue does not have"
        yield Charge(category=Category.STORAGE, meter=f"OS disks of {what}", quantity=nodes)
        return
    if gib is None:
        yield Charge(category=Category.STORAGE, meter=f"OS disks of {size.name}, of unknown size", quantity=nodes)
        return
    if size.temp_disk_gib is not None and gib <= size.temp_disk_gib:
        return
    tier = os_disk_tier(gib)
    yield Charge(
        category=Category.STORAGE,
        meter=ServiceMeter("Managed Disk", tier.meter) if tier else f"an OS disk of {gib:g} GiB",
        quantity=nodes,
        note="OS disks: the VM's temporary disk does not hold them",
    )


def _note(context: Context, item: Placed) -> str:
    if item.pool is None or item.scope is None:
        return "not a pool of the specification: expected at its maximum"
    if not context.loads[item.scope.name, item.pool.name].declared and item.at("enableAutoScaling") is True:
        return "no usage declared: expected at its maximum"
    return ""


@lru_cache(maxsize=1)
def _disk_tiers() -> tuple[DiskTier, ...]:
    rows = read("disk_tiers.csv", ("tier", "gib", "meter", "source", "as_of"), package="gpufleet.cost")
    return tuple(DiskTier(row.integer("gib"), row.text("meter")) for row in rows)

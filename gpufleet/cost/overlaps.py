"""What runs twice for a while: surge nodes of upgrades, and old pools beside new ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal

from gpufleet.cost.charge import VmMeter
from gpufleet.cost.item import Placed
from gpufleet.cost.lines import Origin, Overlap
from gpufleet.cost.money import HOURS_PER_MONTH, micro
from gpufleet.cost.price_book import PriceBook
from gpufleet.cost.pricers.compute import PoolNodes, agent_pool_nodes, inline_pools
from gpufleet.cost.pricers.context import Context
from gpufleet.cost.rates import NoRate


def overlaps(context: Context, items: Iterable[tuple[Placed, Origin]], book: PriceBook) -> Iterator[Overlap]:
    """Surge of every pool, and every agent pool beside its successor, at their maximum.

    The system pool is no rotation: it is frozen, and another one would be another cluster.
    """
    for item, origin in items:
        if item.type == "azure-native:containerservice:AgentPool":
            pool = agent_pool_nodes(context, item)
            if pool is not None:
                most = math.ceil(pool.nodes.ceiling)
                yield from _overlap("surge", origin, pool, pool.surge, book)
                yield from _overlap("rotation", origin, pool, most, book)
        elif item.type == "azure-native:containerservice:ManagedCluster":
            for pool, _ in inline_pools(item) or []:
                yield from _overlap("surge", origin, pool, pool.surge, book)


def _overlap(kind: str, origin: Origin, pool: PoolNodes, nodes: int, book: PriceBook) -> Iterator[Overlap]:
    if nodes:
        yield Overlap(kind=kind, origin=origin, nodes=nodes, hourly=hourly(pool.meter, origin.region, nodes, book))


def hourly(meter: VmMeter | str, region: str, nodes: int, book: PriceBook) -> Decimal | NoRate:
    """USD an hour of some nodes that run for a while.

    Args:
        meter: of one node; a text where its size is not known.
        region: Azure region.
        nodes: their number.
        book: prices.
    """
    if isinstance(meter, str):
        return NoRate(f"{meter} has no price", "")
    rate = book.rate(meter, region, Decimal(nodes))
    return rate if isinstance(rate, NoRate) else micro(rate.amount(Decimal(nodes), HOURS_PER_MONTH) / HOURS_PER_MONTH)

"""Where the nodes stand: regions, the clusters in them, the pools of each, and their InfiniBand domains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gpufleet.graph import Graph
from gpufleet.plural import plural
from policies.reading import MistypedError, UndecidedError
from policies.view import Place, Pool, View

_T = TypeVar("_T")

NOWHERE = "region unknown"


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """A pool as the stack file has it: one agent pool, or on InfiniBand one for each domain.

    Attributes:
        name: in the stack file.
        size: `ND96isr_H100_v5`; "?" when nobody can tell.
        spot: None when nobody can tell.
        least: nodes that are always there; None when nobody can tell.
        most: nodes that there may be; likewise.
        domains: the most nodes of each InfiniBand domain, the largest first; empty without InfiniBand.
        gpus: of one node; 0 without.
    """

    name: str
    size: str
    spot: bool | None
    least: int | None
    most: int | None
    domains: tuple[int, ...]
    gpus: int

    @property
    def nodes(self) -> str:
        """`8 to 64 nodes`, `4,200 nodes`, `an unknown number of nodes`."""
        if self.least is None or self.most is None:
            return "an unknown number of nodes"
        if self.least == self.most:
            return plural(self.most, "node")
        return f"{self.least:,} to {self.most:,} nodes"

    @property
    def fabric(self) -> str:
        """`1 InfiniBand domain`, `42 InfiniBand domains of at most 100 nodes`; "" without InfiniBand."""
        if not self.domains:
            return ""
        if len(self.domains) == 1:
            return "1 InfiniBand domain"
        return f"{len(self.domains):,} InfiniBand domains of at most {self.domains[0]:,} nodes"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One AKS cluster.

    Attributes:
        label: `training/lab`, `inference/eastus`: its fabric or inference region.
        name: logical name of the cluster; "" when its pools don't say which one they belong to.
    """

    label: str
    name: str
    pools: tuple[NodePool, ...]


@dataclass(frozen=True, kw_only=True)
class Region:
    """One Azure region."""

    name: str
    clusters: tuple[Cluster, ...]


def topology(graph: Graph) -> tuple[Region, ...]:
    """The regions of an environment, by name; empty without a pool."""
    regions: dict[str, dict[tuple[str, str], dict[str, list[Pool]]]] = {}
    for pool in View(graph=graph).pools:
        label = pool.place.label if pool.place else "environment"
        cluster = (label, pool.cluster.name if pool.cluster else "")
        pools = regions.setdefault(_region(pool.place), {}).setdefault(cluster, {})
        pools.setdefault(pool.name, []).append(pool)
    return tuple(
        Region(
            name=name,
            clusters=tuple(
                Cluster(
                    label=label,
                    name=cluster,
                    pools=tuple(sorted((_pool(one, found) for one, found in pools.items()), key=_order)),
                )
                for (label, cluster), pools in sorted(clusters.items())
            ),
        )
        for name, clusters in sorted(regions.items())
    )


def _region(place: Place | None) -> str:
    return place.scope.region if place is not None and place.scope is not None else NOWHERE


def _pool(name: str, pools: list[Pool]) -> NodePool:
    size = _known(pools[0], lambda pool: pool.size)
    text = _known(pools[0], lambda pool: pool.properties.text("vmSize"))
    each = [_known(pool, lambda pool: pool.most) for pool in pools]
    rdma = size is not None and size.rdma
    return NodePool(
        name=name,
        size=(text or "?").removeprefix("Standard_"),
        spot=_known(pools[0], lambda pool: pool.spot),
        least=_sum([_known(pool, lambda pool: pool.least) for pool in pools]),
        most=_sum(each),
        domains=tuple(sorted((one or 0 for one in each), reverse=True)) if rdma else (),
        gpus=size.gpus if size is not None else 0,
    )


def _known(pool: Pool, read: Callable[[Pool], _T]) -> _T | None:
    """A property, or None when it can't be read: the rules say so, the picture goes on."""
    try:
        return read(pool)
    except (UndecidedError, MistypedError):
        return None


def _sum(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _order(pool: NodePool) -> tuple[bool, bool, int, str]:
    """GPUs first, the most of them first; the system pool, which everybody has, comes late."""
    return (not pool.gpus, not pool.domains, -(pool.most or 0), pool.name)

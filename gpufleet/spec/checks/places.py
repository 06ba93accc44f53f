"""The pools of an environment with where they stand: what most checks go through."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.upgrade import share_of, surge_nodes


@dataclass(frozen=True)
class PlacedPool:
    """A pool, its scope and its path."""

    pool: Pool
    scope: Scope
    path: Path


def pools_of(environment: Environment) -> Iterator[PlacedPool]:
    """Every pool of every training fabric and inference region."""
    for scope in scopes(environment):
        for index, pool in enumerate(scope.pools):
            yield PlacedPool(pool, scope, (*scope.path, "pools", index))


def repeated(keys: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """For each element that equals an earlier one: its index and the index of the first."""
    first: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        if key in first:
            yield index, first[key]
        else:
            first[key] = index


def pool_nodes(pools: Iterable[Pool]) -> int:
    """The most nodes of pools at once: every pool at its maximum, with the surge of an upgrade."""
    return sum(surge_nodes(pool) + sum(plan.max_nodes for plan in agent_pools(pool)) for pool in pools)


def system_nodes(scope: Scope) -> int:
    """The most nodes of a scope's system pool at once: AKS surges system pools by 10 %, rounded up."""
    nodes = scope.cluster.system_pool.nodes
    return nodes + share_of("10%", nodes)


def most_nodes(scope: Scope) -> int:
    """The most nodes of a scope's cluster at once."""
    return pool_nodes(scope.pools) + system_nodes(scope)

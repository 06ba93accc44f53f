"""The cluster autoscaler: priorities that mean something, and an expander that follows them."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.autoscaler import Expander
from gpufleet.spec.autoscaler_priorities import autoscaled, has_priorities, priority_of
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.problem import Problem

_SOURCE = "kubernetes/autoscaler expander/priority readme"


def check_autoscalers(environment: Environment) -> Iterator[Problem]:
    """Expander and priorities of every cluster."""
    for scope in scopes(environment):
        yield from _expander(scope)
        yield from _tiers(scope)


def _expander(scope: Scope) -> Iterator[Problem]:
    stated = scope.cluster.autoscaler.expander
    if stated in {None, Expander.PRIORITY}:
        if stated is Expander.PRIORITY and not autoscaled(scope.pools):
            yield Problem(
                path=(*scope.path, "cluster", "autoscaler", "expander"),
                message="no pool is autoscaled, so there is nothing to give priorities to",
                fix="Leave it out, or give a pool's `nodes` a range",
                reads=((*scope.path, "pools"),),
            )
        return
    for pool, path in _placed(scope):
        if pool.autoscaler_priority is not None:
            yield Problem(
                path=(*path, "autoscalerPriority"),
                message=f"the expander is {stated}, which follows no priorities",
                fix="Set cluster.autoscaler.expander to priority, or leave it out",
                source=_SOURCE,
                reads=((*scope.path, "cluster", "autoscaler", "expander"),),
            )
    if len({pool.priority for pool in autoscaled(scope.pools)}) > 1:
        yield Problem(
            path=(*scope.path, "cluster", "autoscaler", "expander"),
            message=f"spot and regular pools are autoscaled side by side, and {stated} takes either",
            fix="Leave it out: it is then priority, spot first",
            source=_SOURCE,
            reads=((*scope.path, "pools"),),
        )


def _tiers(scope: Scope) -> Iterator[Problem]:
    """The autoscaler picks at random among pools of one number, so spot and regular must not share one."""
    if not has_priorities(scope.pools, scope.cluster.autoscaler):
        return
    first: dict[int, tuple[str, str]] = {}
    for pool, path in _placed(scope):
        number = priority_of(pool)
        tier, name = first.setdefault(number, (pool.priority.value, pool.name))
        if tier != pool.priority.value:
            yield Problem(
                path=(*path, "autoscalerPriority") if pool.autoscaler_priority is not None else path,
                message=f"the {pool.priority.value} pool {pool.name} has the priority {number} of the {tier} pool "
                f"{name}, and among equals the autoscaler takes any",
                fix="Give one of them another number; the highest wins",
                source=_SOURCE,
                reads=((*scope.path, "pools"),),
            )


def _placed(scope: Scope) -> Iterator[tuple[Pool, Path]]:
    for index, pool in enumerate(scope.pools):
        if isinstance(pool.nodes, NodeRange):
            yield pool, (*scope.path, "pools", index)

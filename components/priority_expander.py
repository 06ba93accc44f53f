"""Priorities of the cluster autoscaler where spot and regular pools stand side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi
import yaml
from pulumi_kubernetes import core, meta

from components.in_cluster import ClusterAccess
from gpufleet.spec.base import Priority
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.pool_names import agent_pools

SPOT_PRIORITY = 20
REGULAR_PRIORITY = 10
"""The highest number wins (kubernetes/autoscaler expander/priority readme); Microsoft's sample has them the other way
round."""


@dataclass(frozen=True, kw_only=True)
class PriorityExpanderArgs:
    """Arguments of PriorityExpander."""

    access: ClusterAccess
    pools: list[Pool]


class PriorityExpander(pulumi.ComponentResource):
    """The ConfigMap `cluster-autoscaler-priority-expander`: spot before regular, derived from the pools.

    The autoscaler matches by the names of scale sets, `aks-<pool>-<digits>-vmss`; the expressions are anchored at both
    ends of the pool's name, so that no pool's name is a prefix of another's. Every autoscaled pool is listed: what
    matches nothing is never chosen while another one matches.
    """

    def __init__(self, name: str, args: PriorityExpanderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:cluster:PriorityExpander", name, {}, opts)
        core.v1.ConfigMap(
            f"{name}-configmap",
            metadata=meta.v1.ObjectMetaArgs(name="cluster-autoscaler-priority-expander", namespace="kube-system"),
            data={"priorities": yaml.safe_dump(priorities(args.pools), sort_keys=True)},
            opts=args.access.child(self),
        )
        self.register_outputs({})


def prefers_spot(pools: Iterable[Pool]) -> bool:
    """Whether autoscaled spot and regular pools share a cluster, so that the autoscaler has a choice between them."""
    autoscaled = {pool.priority for pool in pools if isinstance(pool.nodes, NodeRange)}
    return autoscaled == {Priority.SPOT, Priority.REGULAR}


def priorities(pools: Iterable[Pool]) -> dict[int, list[str]]:
    """Expressions over scale set names, by priority."""
    tiers: dict[int, list[str]] = {}
    for pool in pools:
        if isinstance(pool.nodes, NodeRange):
            tier = SPOT_PRIORITY if pool.priority is Priority.SPOT else REGULAR_PRIORITY
            tiers.setdefault(tier, []).extend(f"^aks-{plan.name}-.*" for plan in agent_pools(pool))
    return tiers

"""Priorities of the cluster autoscaler, for its priority expander."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi
import yaml
from pulumi_kubernetes import core, meta

from components.in_cluster import ClusterAccess
from gpufleet.spec.autoscaler_priorities import autoscaled, priority_of
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools


@dataclass(frozen=True, kw_only=True)
class PriorityExpanderArgs:
    """Arguments of PriorityExpander."""

    access: ClusterAccess
    pools: list[Pool]


class PriorityExpander(pulumi.ComponentResource):
    """The ConfigMap `cluster-autoscaler-priority-expander`: what the pools state, else spot before regular.

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


def priorities(pools: Iterable[Pool]) -> dict[int, list[str]]:
    """Expressions over scale set names, by priority."""
    tiers: dict[int, list[str]] = {}
    for pool in autoscaled(pools):
        tiers.setdefault(priority_of(pool), []).extend(f"^aks-{plan.name}-.*" for plan in agent_pools(pool))
    return tiers

"""A pool of CPU nodes: data preparation, controllers, gateways."""

from __future__ import annotations

import pulumi

from components import labels
from components.agent_pool import PoolArgs, agent_pool, stated_upgrade
from gpufleet.spec.pool import PoolRole
from gpufleet.spec.pool_names import agent_pools


class CpuPool(pulumi.ComponentResource):
    """One AKS agent pool without GPUs. It has no taint, so pods that ask for nothing special land here.

    A pool may have up to 1,000 nodes (AKS container-service-limits); a spot pool gets no upgrade settings, AKS refuses
    surge on spot (AKS spot-node-pool).
    """

    agent_pool_names: list[str]
    """AKS names."""

    def __init__(self, name: str, args: PoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:pool:CpuPool", name, {}, opts)
        plans = agent_pools(args.spec)
        for plan in plans:
            agent_pool(
                self,
                args,
                plan,
                node_labels=_role_label(args),
                node_taints=[],
                upgrade_settings=stated_upgrade(args.spec),
            )
        self.agent_pool_names = [plan.name for plan in plans]
        self.register_outputs({"agentPoolNames": self.agent_pool_names})


def _role_label(args: PoolArgs) -> dict[str, str]:
    """For pods that prepare data and shall run nowhere else."""
    return {} if args.spec.role is PoolRole.GENERAL else {labels.ROLE: args.spec.role.value}

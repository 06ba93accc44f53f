"""A pool of GPU nodes; for an RDMA size one agent pool for each InfiniBand domain."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice

from components import labels
from components.agent_pool import PoolArgs, agent_pool
from gpufleet.catalog import sizes
from gpufleet.errors import ConfigurationError
from gpufleet.spec.base import Priority
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import AgentPoolPlan, agent_pools


class GpuPool(pulumi.ComponentResource):
    """The agent pools of one GPU pool: tainted, labelled, without AKS's driver (the GPU Operator owns it).

    Not here: the operators (RdmaStack, GpuOperator), kubelet and sysctl settings, queues.

    Limits that shape it: one scale set is one InfiniBand fabric and holds 100 machines, 300 after a support request, so
    a plain number of nodes becomes one agent pool for each domain (azure-compute-docs setup-infiniband, placement
    groups). Upgrades take nodes away instead of adding some: spare 8-GPU nodes rarely exist and their quota is seldom
    granted (AKS upgrade-aks-node-pools-rolling, Azure/AKS#4818).
    """

    agent_pool_names: list[str]
    """AKS names, in the order of the InfiniBand domains."""

    def __init__(self, name: str, args: PoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:pool:GpuPool", name, {}, opts)
        size = sizes.get(args.spec.sku)
        if size.gpu_vendor != "NVIDIA":
            raise ConfigurationError(
                f"pool {args.spec.name!r}: {args.spec.sku} has {size.gpu_vendor} GPUs",
                hint="Only NVIDIA sizes have operators here so far; choose one of those.",
            )
        plans = agent_pools(args.spec)
        for plan in plans:
            agent_pool(
                self,
                args,
                plan,
                node_labels=_node_labels(args, plan, size),
                node_taints=[labels.GPU_TAINT],
                upgrade_settings=gpu_upgrade(args.spec),
                gpu_profile=containerservice.GPUProfileArgs(driver=containerservice.GPUDriver.NONE),
            )
        self.agent_pool_names = [plan.name for plan in plans]
        self.register_outputs({"agentPoolNames": self.agent_pool_names})


def gpu_upgrade(spec: Pool) -> containerservice.AgentPoolUpgradeSettingsArgs | None:
    """No surge and one node away at a time, unless the specification says otherwise.

    Nothing on spot: AKS refuses surge there (AKS spot-node-pool).
    """
    if spec.priority is Priority.SPOT:
        return None
    stated = spec.upgrade
    surge = stated.max_surge if stated and stated.max_surge is not None else "0"
    unavailable = stated.max_unavailable if stated and stated.max_unavailable is not None else None
    if unavailable is None and surge in ("0", "0%"):
        unavailable = "1"  # AKS refuses to upgrade with neither surge nor unavailable nodes
    return containerservice.AgentPoolUpgradeSettingsArgs(
        max_surge=surge,
        max_unavailable=unavailable,
        drain_timeout_in_minutes=stated.drain_timeout_minutes if stated else None,
        node_soak_duration_in_minutes=stated.node_soak_minutes if stated else None,
    )


def _node_labels(args: PoolArgs, plan: AgentPoolPlan, size: sizes.Size) -> dict[str, str]:
    model = {labels.GPU_MODEL: labels.label_value(size.gpu_model)} if size.gpu_model else {}
    if plan.domain is None:
        return model
    return {**model, labels.INFINIBAND_DOMAIN: f"{args.scope.name}-{plan.name}"}

"""A pool of GPU nodes; for an RDMA size one agent pool for each InfiniBand domain."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice

from components import labels
from components.agent_pool import PoolArgs, agent_pool, undrainable
from gpufleet.catalog import node_capacity, node_profiles, sizes
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.spec.base import Priority
from gpufleet.spec.pool import Pool, UndrainableNode
from gpufleet.spec.pool_names import AgentPoolPlan, agent_pools


class GpuPool(pulumi.ComponentResource):
    """The agent pools of one GPU pool: tainted and labelled, with the node image and driver that its size asks for.

    AKS's driver comes with `gpuStack: managed` alone; else an operator owns it, as it does always on AMD sizes, for
    which AKS has none (AKS use-amd-gpus). GB200 and GB300 have Ubuntu 24.04 on arm64. What the catalogue says of a size
    (node_profiles.csv, node_configuration.csv) is the whole difference between kinds.

    Not here: the operators (RdmaStack, GpuOperator), queues. Nor a label for the NVLink rack: which rack a node is in
    is known once it runs, and NVIDIA's GPU feature discovery then says so (docs/adr/0021).

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
        profile = node_profiles.find(size)
        plans = agent_pools(args.spec)
        for plan in plans:
            agent_pool(
                self,
                args,
                plan,
                node_labels=_node_labels(args, plan, size),
                node_taints=[labels.gpu_taint(node_capacity.of(size).gpu_resource)],
                upgrade_settings=gpu_upgrade(args.spec),
                os_sku=profile.os_sku if profile else containerservice.OSSKU.UBUNTU.value,
                gpu_profile=containerservice.GPUProfileArgs(driver=gpu_driver(args.spec, size)),
            )
        self.agent_pool_names = [plan.name for plan in plans]
        self.register_outputs({"agentPoolNames": self.agent_pool_names})


def gpu_driver(spec: Pool, size: sizes.Size) -> containerservice.GPUDriver:
    """Whether AKS installs the driver."""
    if spec.gpu_stack is GpuStack.MANAGED and size.gpu_vendor == "NVIDIA":
        return containerservice.GPUDriver.INSTALL
    return containerservice.GPUDriver.NONE


def gpu_upgrade(spec: Pool) -> containerservice.AgentPoolUpgradeSettingsArgs | None:
    """No surge and one node away at a time, unless the specification says otherwise.

    A node that can't be emptied takes pods again: to quarantine it AKS needs a surge node in its place
    (containerservice API specification: undrainableNodeBehavior).

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
        undrainable_node_behavior=undrainable((stated and stated.undrainable_node) or UndrainableNode.SCHEDULE),
    )


def _node_labels(args: PoolArgs, plan: AgentPoolPlan, size: sizes.Size) -> dict[str, str]:
    of_size = {labels.GPU_MODEL: labels.label_value(size.gpu_model)} if size.gpu_model else {}
    if args.spec.gpu_stack is GpuStack.OPERATOR_DRA and size.gpu_vendor == "NVIDIA":
        of_size |= dict([labels.DRA_NODE])
    if plan.domain is None:
        return of_size
    return {**of_size, labels.INFINIBAND_DOMAIN: f"{args.scope.name}-{plan.name}"}

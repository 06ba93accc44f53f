"""What GPU and CPU pools have in common: one AKS agent pool out of its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import containerservice

from components import labels
from components.context import ScopeContext
from components.node_settings import kubelet_config, linux_os_config
from components.options import AGENT_POOL_TIMEOUTS, child
from gpufleet.spec.base import Priority
from gpufleet.spec.node_settings import node_configuration
from gpufleet.spec.pool import NodeRange, Pool, UndrainableNode
from gpufleet.spec.pool_names import AgentPoolPlan


@dataclass(frozen=True, kw_only=True)
class PoolArgs:
    """Arguments of GpuPool and CpuPool."""

    scope: ScopeContext
    spec: Pool
    cluster: containerservice.ManagedCluster
    kubernetes_version: str
    subnet_id: pulumi.Input[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    """Azure tags beside the environment's: whose its nodes are."""


def agent_pool(
    parent: pulumi.Resource,
    args: PoolArgs,
    plan: AgentPoolPlan,
    *,
    node_labels: Mapping[str, str],
    node_taints: Sequence[str],
    upgrade_settings: containerservice.AgentPoolUpgradeSettingsArgs | None,
    os_sku: str = containerservice.OSSKU.UBUNTU.value,
    gpu_profile: containerservice.GPUProfileArgs | None = None,
) -> containerservice.AgentPool:
    """One `AgentPool`, named by its AKS name, so that another generation is another resource and never a replacement.

    - `count` is what AKS asks for at creation; on an autoscaled pool it then belongs to the autoscaler
      (pulumi-azure-native#2943), which is the one field that is ignored.
    - The OS disk's size is stated, its type is not: without a size AKS takes the whole temporary disk (AKS
      concepts-storage), and for the type AKS knows best where an ephemeral disk fits. A type from our catalogue would
      replace pools whenever a row is corrected.
    - Kubelet and kernel settings are part of the name, for AKS changes them on no existing pool (Azure/AKS#2591).
    - No start-up taint for the Lustre client: what is in `nodeTaints` only AKS can take away, and initialization taints
      are refused on a pool of its own (AKS use-node-taints; docs/adr/0020).
    - `Delete` on scale-down and eviction: `Deallocate` holds quota and does not back off when there is no capacity
      (Azure/AKS#5589).
    """
    spec = args.spec
    spot = spec.priority is Priority.SPOT
    autoscaled = isinstance(plan.nodes, NodeRange)
    configuration = node_configuration(spec)
    return containerservice.AgentPool(
        f"{args.scope.name}-{plan.name}",
        agent_pool_name=plan.name,
        resource_group_name=args.scope.resource_group_name,
        resource_name_=args.cluster.name,
        mode=containerservice.AgentPoolMode.USER,
        type=containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        vm_size=spec.sku,
        count=plan.min_nodes,
        enable_auto_scaling=autoscaled,
        min_count=plan.min_nodes if autoscaled else None,
        max_count=plan.max_nodes if autoscaled else None,
        scale_down_mode=containerservice.ScaleDownMode.DELETE,
        orchestrator_version=args.kubernetes_version,
        os_type=containerservice.OSType.LINUX,
        os_sku=os_sku,
        os_disk_size_gb=spec.os_disk_gib,
        max_pods=spec.max_pods,
        availability_zones=list(spec.zones) or None,
        enable_node_public_ip=False,
        vnet_subnet_id=args.subnet_id,
        capacity_reservation_group_id=spec.capacity_reservation_group_id,
        scale_set_priority=(
            containerservice.ScaleSetPriority.SPOT if spot else containerservice.ScaleSetPriority.REGULAR
        ),
        scale_set_eviction_policy=containerservice.ScaleSetEvictionPolicy.DELETE if spot else None,
        # -1: up to the regular price. Below the market a pool "succeeds" and never gets a node (Azure/AKS#4404).
        spot_max_price=(-1.0 if spec.spot_max_price is None else spec.spot_max_price) if spot else None,
        gpu_profile=gpu_profile,
        kubelet_config=kubelet_config(configuration),
        linux_os_config=linux_os_config(configuration),
        node_labels=_labels(args, node_labels, spot=spot),
        node_taints=[*spec.taints, *node_taints, *([labels.SPOT_TAINT] if spot else [])] or None,
        upgrade_settings=upgrade_settings,
        tags={**args.scope.environment.tags, **args.tags},
        opts=child(
            parent,
            args.scope.environment.environment_class,
            ignore_changes=["count"] if autoscaled else [],
            # A deleted cluster takes its pools along, so a destroy need not wait for each.
            deleted_with=args.cluster,
            custom_timeouts=AGENT_POOL_TIMEOUTS,
        ),
    )


def stated_upgrade(spec: Pool) -> containerservice.AgentPoolUpgradeSettingsArgs | None:
    """The specification's upgrade block as it stands; None leaves AKS its default of 10 percent surge."""
    if spec.upgrade is None:
        return None
    return containerservice.AgentPoolUpgradeSettingsArgs(
        max_surge=spec.upgrade.max_surge,
        max_unavailable=spec.upgrade.max_unavailable,
        drain_timeout_in_minutes=spec.upgrade.drain_timeout_minutes,
        node_soak_duration_in_minutes=spec.upgrade.node_soak_minutes,
        undrainable_node_behavior=undrainable(spec.upgrade.undrainable_node),
    )


def undrainable(stated: UndrainableNode | None) -> containerservice.UndrainableNodeBehavior | None:
    """The SDK's word for what becomes of a node that an upgrade can't empty; None leaves it to AKS."""
    return containerservice.UndrainableNodeBehavior(stated.value) if stated else None


def _labels(args: PoolArgs, own: Mapping[str, str], *, spot: bool) -> dict[str, str]:
    spot_label = dict([labels.SPOT_LABEL]) if spot else {}
    fabric = {labels.FABRIC: args.scope.fabric} if args.scope.fabric else {}
    return {**args.spec.labels, labels.POOL: args.spec.name, **fabric, **own, **spot_label}

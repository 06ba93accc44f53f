"""AKS's `autoScalerProfile` of one cluster: what the specification says, over gpufleet's defaults."""

from __future__ import annotations

from typing import TypeVar

from pulumi_azure_native import containerservice

from gpufleet.catalog import scale_down
from gpufleet.spec.autoscaler import Expander
from gpufleet.spec.cluster import Cluster

_Kept = TypeVar("_Kept")

_NODE_PROVISION_TIME = "15m"
"""How long a pool without capacity holds up the next choice: Azure's errors don't reach the autoscaler, it waits this
long before it tries another pool (kubernetes/autoscaler#8323)."""
_END_SECONDS = 600
"""What AKS has for `maxGracefulTerminationSec` (AKS cluster-autoscaler): a pod that takes longer to end is killed."""


def autoscaler_profile(
    spec: Cluster, *, follows_priorities: bool, idle: scale_down.ScaleDown | None, longest_end_seconds: int = 0
) -> containerservice.ManagedClusterPropertiesAutoScalerProfileArgs:
    """The profile; a setting that neither has is left to AKS. AKS takes numbers and most flags as text.

    Args:
        spec: the cluster.
        follows_priorities: whether the pools want the priority expander.
        idle: when idle nodes go, where gpufleet has a view: in training fabrics.
        longest_end_seconds: what the pod that takes longest has to end.
    """
    stated = spec.autoscaler
    end = idle.max_graceful_termination_seconds if idle else None
    if longest_end_seconds > (end or _END_SECONDS):
        end = longest_end_seconds
    expander = stated.expander or (Expander.PRIORITY if follows_priorities else Expander.LEAST_WASTE)
    return containerservice.ManagedClusterPropertiesAutoScalerProfileArgs(
        expander=containerservice.Expander(expander.value),
        balance_similar_node_groups=_text(stated.balance_similar_node_groups),
        daemonset_eviction_for_empty_nodes=stated.daemonset_eviction_for_empty_nodes,
        daemonset_eviction_for_occupied_nodes=stated.daemonset_eviction_for_occupied_nodes,
        ignore_daemonsets_utilization=_or(
            stated.ignore_daemonsets_utilization, idle.ignore_daemonsets_utilization if idle else None
        ),
        max_empty_bulk_delete=_text(stated.max_empty_bulk_delete),
        max_graceful_termination_sec=_text(_or(stated.max_graceful_termination_sec, end)),
        max_node_provision_time=stated.max_node_provision_time or _NODE_PROVISION_TIME,
        max_total_unready_percentage=_text(stated.max_total_unready_percentage),
        new_pod_scale_up_delay=stated.new_pod_scale_up_delay,
        ok_total_unready_count=_text(stated.ok_total_unready_count),
        scale_down_delay_after_add=stated.scale_down_delay_after_add
        or (f"{idle.delay_after_add_minutes}m" if idle else None),
        scale_down_delay_after_delete=stated.scale_down_delay_after_delete,
        scale_down_delay_after_failure=stated.scale_down_delay_after_failure,
        scale_down_unneeded_time=stated.scale_down_unneeded_time or (f"{idle.unneeded_minutes}m" if idle else None),
        scale_down_unready_time=stated.scale_down_unready_time,
        scale_down_utilization_threshold=_text(
            _or(stated.scale_down_utilization_threshold, idle.utilization_threshold if idle else None)
        ),
        scan_interval=stated.scan_interval,
        skip_nodes_with_local_storage=_text(
            _or(stated.skip_nodes_with_local_storage, idle.skip_nodes_with_local_storage if idle else None)
        ),
        skip_nodes_with_system_pods=_text(stated.skip_nodes_with_system_pods),
    )


def _or(stated: _Kept | None, default: _Kept | None) -> _Kept | None:
    return default if stated is None else stated


def _text(value: float | None) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"

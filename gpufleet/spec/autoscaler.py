"""The cluster autoscaler, by AKS's own keys (`autoScalerProfile`); it is one for the whole cluster."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Spec


class Expander(StrEnum):
    """How the autoscaler chooses among pools that would do."""

    LEAST_WASTE = "least-waste"
    MOST_PODS = "most-pods"
    PRIORITY = "priority"
    RANDOM = "random"


# The API's text wants whole minutes, and of `scanInterval` seconds (containerservice API specification 2025-09-01).
_Minutes = Annotated[str, Field(pattern=r"^[0-9]{1,4}m$")]
_Seconds = Annotated[str, Field(pattern=r"^[0-9]{1,5}s$")]
_Delay = Annotated[str, Field(pattern=r"^[0-9]{1,5}[smh]$")]


class Autoscaler(Spec):
    """What is not given has the default of gpufleet, or AKS's own where gpufleet has none."""

    balance_similar_node_groups: bool | None = None
    """Spread nodes over pools of the same size."""
    daemonset_eviction_for_empty_nodes: bool | None = None
    """Whether pods of daemon sets leave gracefully as an empty node goes."""
    daemonset_eviction_for_occupied_nodes: bool | None = None
    """Whether pods of daemon sets leave gracefully as an occupied node goes."""
    expander: Annotated[Expander | None, Field(strict=False)] = None
    """priority where spot and regular pools stand side by side or a pool has an `autoscalerPriority`, else
    least-waste."""
    ignore_daemonsets_utilization: bool | None = None
    """Whether pods of daemon sets count as no use of a node."""
    max_empty_bulk_delete: Annotated[int | None, Field(ge=1, le=1000)] = None
    """Empty nodes that go at the same time."""
    max_graceful_termination_sec: Annotated[int | None, Field(ge=0, le=86_400)] = None
    """Seconds that a pod has to end as its node goes."""
    max_node_provision_time: _Minutes | None = None
    """How long a pool without capacity holds up the next choice, such as 15m."""
    max_total_unready_percentage: Annotated[int | None, Field(ge=0, le=100)] = None
    """Above this share of nodes that are not ready it stops."""
    new_pod_scale_up_delay: _Delay | None = None
    """How old a pod must be before nodes come for it, such as 30s."""
    ok_total_unready_count: Annotated[int | None, Field(ge=0, le=5000)] = None
    """Nodes that may be not ready whatever their share."""
    scale_down_delay_after_add: _Minutes | None = None
    """How long nothing goes after a node has come, such as 15m."""
    scale_down_delay_after_delete: _Delay | None = None
    """How long nothing goes after a node has gone."""
    scale_down_delay_after_failure: _Minutes | None = None
    """How long nothing goes after a deletion has failed."""
    scale_down_unneeded_time: _Minutes | None = None
    """How long a node must have been without need, such as 10m."""
    scale_down_unready_time: _Minutes | None = None
    """How long a node that is not ready must have been without need."""
    scale_down_utilization_threshold: Annotated[float | None, Field(ge=0, le=1)] = None
    """Below this share of requested resources a node may go."""
    scan_interval: _Seconds | None = None
    """How often it looks, such as 10s."""
    skip_nodes_with_local_storage: bool | None = None
    """Whether nodes with pods that have an emptyDir stay."""
    skip_nodes_with_system_pods: bool | None = None
    """Whether nodes with pods of kube-system stay."""

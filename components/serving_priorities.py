"""Who makes room for whom among a cluster's pods that serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import meta, scheduling

from components import labels
from components.in_cluster import ClusterAccess

OWN_FORM = "gpufleet-serving"
"""Servers of a model's own form."""
OTHER_FORM = "gpufleet-serving-variant"
"""Servers of another form: they make room first."""

# Above pods without a class (0) and far below Kubernetes' own (2,000,000,000): when nodes are lost, what serves comes
# back before whatever else people run there. PriorityClass.value never changes (Kubernetes 1.34).
_VALUES = {OWN_FORM: 1_000_000, OTHER_FORM: 900_000}


@dataclass(frozen=True, kw_only=True)
class ServingPrioritiesArgs:
    """Arguments of ServingPriorities."""

    access: ClusterAccess


class ServingPriorities(pulumi.ComponentResource):
    """The cluster's priority classes for model servers."""

    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: ServingPrioritiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ServingPriorities", name, {}, opts)
        self.ready = [
            scheduling.v1.PriorityClass(
                f"{name}-{class_name}",
                metadata=meta.v1.ObjectMetaArgs(name=class_name, labels=labels.MANAGED_BY),
                value=value,
                global_default=False,
                preemption_policy="PreemptLowerPriority",
                description="Model servers; what has less priority makes room for them",
                opts=args.access.child(self),
            )
            for class_name, value in _VALUES.items()
        ]
        self.register_outputs({})

"""NVIDIA's GPU Operator in one cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.in_cluster import (
    ClusterAccess,
    controller_tolerations,
    node_agent_tolerations,
    privileged_namespace,
    release,
)
from gpufleet.catalog.operator_sets import all_sets


@dataclass(frozen=True, kw_only=True)
class GpuOperatorArgs:
    """Arguments of GpuOperator."""

    access: ClusterAccess
    rdma: bool
    """Whether the Network Operator runs beside it: the driver then loads nvidia-peermem, and feature discovery is
    already there."""
    may_be_empty: bool
    """Whether the cluster's GPU pools can be at zero nodes."""
    after: Sequence[pulumi.Resource] = ()
    """What must be in the cluster before."""


class GpuOperator(pulumi.ComponentResource):
    """Driver, container toolkit, device plugin and DCGM exporter on every GPU node.

    It is the one owner of driver and plugin: a GPU node that shows no `nvidia.com/gpu` can stop scale-up of the whole
    cluster (kubernetes/autoscaler#10301), and the AKS driver and this operator exclude each other
    (Azure/aks-rdma-infiniband gpu-drivers).

    Not here: MIG, vGPU and sandboxed workloads (off), dashboards. No Windows, Flatcar or OS Guard nodes, and one OS
    version a cluster (AKS nvidia-gpu-operator).
    """

    def __init__(self, name: str, args: GpuOperatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:GpuOperator", name, {}, opts)
        namespace = privileged_namespace(
            f"{name}-namespace", "gpu-operator", args.access.child(self, depends_on=args.after)
        )
        release(
            f"{name}-release",
            all_sets()[0].gpu_operator,
            namespace,
            values=gpu_operator_values(rdma=args.rdma),
            skip_await=args.may_be_empty,
            opts=args.access.child(self, depends_on=args.after),
        )
        self.register_outputs({})


def gpu_operator_values(*, rdma: bool) -> dict[str, object]:
    """Values of the chart: Azure/aks-rdma-infiniband configs/values/gpu-operator, and where pods may run."""
    values: dict[str, object] = {
        # Exactly one owner of node-feature-discovery: the Network Operator where there is one.
        "nfd": {"enabled": not rdma},
        "operator": {"tolerations": controller_tolerations()},
        "daemonsets": {"tolerations": node_agent_tolerations()},
        "driver": {"enabled": True, "rdma": {"enabled": rdma}},
        "toolkit": {"enabled": True},
        "devicePlugin": {"enabled": True},
        "migManager": {"enabled": False},
        "vgpuDeviceManager": {"enabled": False},
        "vfioManager": {"enabled": False},
        "sandboxDevicePlugin": {"enabled": False},
        # The chart makes a ServiceMonitor only where its kind exists; AKS's own Prometheus brings another one.
        "dcgmExporter": {"enabled": True, "serviceMonitor": {"enabled": False}},
    }
    if not rdma:
        values["node-feature-discovery"] = feature_discovery_values()
    return values


def feature_discovery_values() -> dict[str, object]:
    """Values of both operators' node-feature-discovery: controllers on the system pool, agents on the other nodes."""
    return {
        "master": {"tolerations": controller_tolerations()},
        "gc": {"tolerations": controller_tolerations()},
        "worker": {"tolerations": node_agent_tolerations()},
    }

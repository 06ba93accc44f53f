"""NVIDIA's GPU Operator in one cluster, with its device plugin or with the DRA driver."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import labels
from components.dcgm_metrics import dcgm_metrics
from components.gpu_software import GpuSoftwareArgs
from components.in_cluster import (
    controller_tolerations,
    node_agent_tolerations,
    privileged_namespace,
    release,
    system_pool_affinity,
)
from gpufleet.catalog.operator_sets import OperatorSet

NAMESPACE = "gpu-operator"
_DRA_NAMESPACE = "nvidia-dra-driver-gpu"
_DRIVER_ROOT = "/run/nvidia/driver"
"""Where the operator's driver container has the driver's files (hostPaths.driverInstallDir of its chart)."""


@dataclass(frozen=True, kw_only=True)
class GpuOperatorArgs(GpuSoftwareArgs):
    """Arguments of GpuOperator."""

    dra: bool
    """Whether GPUs are given out by Dynamic Resource Allocation and not by the device plugin."""


class GpuOperator(pulumi.ComponentResource):
    """Driver, container toolkit, DCGM exporter, and what gives GPUs out, on every NVIDIA node.

    It is the one owner of driver and plugin: a GPU node that shows no `nvidia.com/gpu` can stop scale-up of the whole
    cluster (kubernetes/autoscaler#10301), and the AKS driver and this operator exclude each other
    (Azure/aks-rdma-infiniband gpu-drivers). With DRA the device plugin is off: both at once give every GPU out twice
    (NVIDIA/aicr docs/integrator/aks-gpu-setup.md).

    Nothing here touches a running job: the driver never upgrades by itself and nothing drains. Its daemon set has the
    update strategy OnDelete, so a node keeps its driver until its driver pod is deleted or the node is a new one
    (NVIDIA/gpu-operator assets/state-driver/0500_daemonset.yaml).

    Not here: MIG, vGPU and sandboxed workloads (off), dashboards. No Windows, Flatcar or OS Guard nodes, and one OS
    version a cluster (AKS nvidia-gpu-operator).
    """

    def __init__(self, name: str, args: GpuOperatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:GpuOperator", name, {}, opts)
        access = args.access
        namespace = privileged_namespace(f"{name}-namespace", NAMESPACE, access.child(self, depends_on=args.after))
        operator = release(
            f"{name}-release",
            args.operators.gpu_operator,
            namespace,
            values=gpu_operator_values(
                args.operators, rdma=args.rdma, dra=args.dra, owns_discovery=args.owns_discovery
            ),
            skip_await=args.may_be_empty,
            opts=access.child(self, depends_on=args.after),
        )
        if args.dra and args.operators.dra_driver is not None:
            dra_namespace = privileged_namespace(
                f"{name}-dra-namespace", _DRA_NAMESPACE, access.child(self, depends_on=args.after)
            )
            release(
                f"{name}-dra-driver",
                args.operators.dra_driver,
                dra_namespace,
                values=dra_driver_values(racks=args.racks),
                skip_await=args.may_be_empty,
                opts=access.child(self, depends_on=[operator]),
            )
        self.register_outputs({})


def gpu_operator_values(operators: OperatorSet, *, rdma: bool, dra: bool, owns_discovery: bool) -> dict[str, object]:
    """Values of the chart: Azure/aks-rdma-infiniband configs/values/gpu-operator, and where pods may run.

    Args:
        operators: the set.
        rdma: whether OFED is on the nodes, so that the driver builds nvidia-peermem against it.
        dra: whether the DRA driver gives GPUs out.
        owns_discovery: whether no other chart brings node feature discovery.
    """
    driver: dict[str, object] = {
        "enabled": True,
        "version": operators.gpu_driver.version,
        "rdma": {"enabled": rdma},
        "upgradePolicy": {
            "autoUpgrade": False,
            "gpuPodDeletion": {"force": False},
            "drain": {"enable": False, "force": False},
        },
    }
    if dra:
        # The driver's manager takes GPU clients off a node before it reloads the driver, by this label; left alone it
        # knows the device plugin's alone (Azure/ai-infrastructure-on-azure deploy-aks.sh, install_gpu_operator).
        driver["manager"] = {"env": [{"name": "NODE_LABEL_FOR_GPU_POD_EVICTION", "value": labels.DRA_NODE[0]}]}
    values: dict[str, object] = {
        # Exactly one owner of node-feature-discovery: the Network Operator where there is one.
        "nfd": {"enabled": owns_discovery},
        "operator": {"tolerations": controller_tolerations()},
        "daemonsets": {"tolerations": node_agent_tolerations()},
        "driver": driver,
        "toolkit": {"enabled": True},
        "devicePlugin": {"enabled": not dra},
        "migManager": {"enabled": False},
        "vgpuDeviceManager": {"enabled": False},
        "vfioManager": {"enabled": False},
        "sandboxDevicePlugin": {"enabled": False},
        # The chart makes a ServiceMonitor only where its kind exists; AKS's own Prometheus brings another one.
        "dcgmExporter": {
            "enabled": True,
            "config": {"name": "dcgm-metrics", "create": True, "data": dcgm_metrics()},
            "serviceMonitor": {"enabled": False},
        },
    }
    if owns_discovery:
        values["node-feature-discovery"] = feature_discovery_values()
    return values


def dra_driver_values(*, racks: bool) -> dict[str, object]:
    """Values of NVIDIA's DRA driver (NVIDIA/k8s-dra-driver-gpu): GPUs, and where NVLink spans nodes ComputeDomains.

    A job across a rack's nodes asks for a `ComputeDomain`; the driver starts IMEX on its nodes and takes it down with
    the job. The controller is for them alone.
    """
    return {
        "nvidiaDriverRoot": _DRIVER_ROOT,
        # The chart refuses GPUs unless told that the device plugin is off, which it is.
        "gpuResourcesEnabledOverride": True,
        "resources": {"gpus": {"enabled": True}, "computeDomains": {"enabled": racks}},
        # By default it looks for a control-plane node, of which AKS shows none (NVIDIA/aicr recipes/overlays/aks.yaml).
        # An empty affinity would not do: Helm merges maps, and the chart's own terms stay.
        "controller": {"tolerations": controller_tolerations(), "affinity": system_pool_affinity()},
        "kubeletPlugin": {
            "tolerations": node_agent_tolerations(),
            "nodeSelector": {labels.DRA_NODE[0]: labels.DRA_NODE[1]},
        },
    }


def feature_discovery_values() -> dict[str, object]:
    """Values of each operator's node-feature-discovery: controllers on the system pool, agents on the other nodes."""
    return {
        "master": {"tolerations": controller_tolerations()},
        "gc": {"tolerations": controller_tolerations()},
        "worker": {"tolerations": node_agent_tolerations()},
    }

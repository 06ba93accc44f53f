"""What AKS's own GPU driver leaves to us: device plugin, DCGM exporter, and nvidia-peermem for InfiniBand."""

from __future__ import annotations

import pulumi

from components import labels
from components.dcgm_metrics import dcgm_metrics
from components.gpu_software import GpuSoftwareArgs
from components.host_agent import HostAgent, host_agent
from components.in_cluster import node_affinity, node_agent_tolerations, privileged_namespace, release
from gpufleet.catalog.operator_sets import Image
from gpufleet.errors import ConfigurationError

NAMESPACE = "gpu-resources"
"""As in AKS use-nvidia-gpu."""
PEERMEM_LOADER = "nvidia-peermem-loader"


class ManagedGpu(pulumi.ComponentResource):
    """Device plugin and DCGM exporter on nodes with AKS's driver, and with InfiniBand the loader of nvidia-peermem.

    AKS's driver comes with the container runtime and loads no nvidia-peermem, without which there is no GPUDirect RDMA
    (Azure/aks-rdma-infiniband gpu-drivers). The plugin is the charts' and not AKS's managed one, which is a preview and
    knows no autoscaling (AKS aks-managed-gpu-nodes).
    """

    def __init__(self, name: str, args: GpuSoftwareArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:ManagedGpu", name, {}, opts)
        parts, access = args.operators.managed, args.access
        if parts is None:
            raise ConfigurationError(f"operator set {args.operators.name} has nothing for gpuStack managed")
        namespace = privileged_namespace(f"{name}-namespace", NAMESPACE, access.child(self, depends_on=args.after))
        for chart, values in (
            (parts.device_plugin, device_plugin_values()),
            (parts.dcgm_exporter, dcgm_exporter_values()),
        ):
            release(
                f"{name}-{chart.chart}",
                chart,
                namespace,
                values=values,
                skip_await=args.may_be_empty,
                opts=access.child(self, depends_on=args.after),
            )
        if args.rdma:
            host_agent(
                f"{name}-peermem-loader",
                peermem_loader(parts.peermem_loader),
                namespace.metadata.name,
                access.child(self, depends_on=args.after),
            )
        self.register_outputs({})


def device_plugin_values() -> dict[str, object]:
    """Values of NVIDIA/k8s-device-plugin's chart. By AKS's label: the chart's own need feature discovery."""
    return {
        "affinity": node_affinity(labels.ACCELERATOR, "nvidia"),
        "tolerations": node_agent_tolerations(),
        "gfd": {"enabled": False},
    }


def dcgm_exporter_values() -> dict[str, object]:
    """Values of NVIDIA/dcgm-exporter's chart."""
    return {
        "affinity": node_affinity(labels.ACCELERATOR, "nvidia"),
        "tolerations": node_agent_tolerations(),
        # The kind is Prometheus Operator's; AKS's own Prometheus brings another one.
        "serviceMonitor": {"enabled": False},
        "customMetrics": dcgm_metrics(),
    }


def peermem_loader(image: Image) -> HostAgent:
    """Loads nvidia-peermem with the node's own modprobe, and again where the OFED driver was loaded anew.

    As Azure/aks-rdma-infiniband configs/nvidia-peermem-reloader, which installs kmod from the network in each pod; the
    node has it.
    """
    return HostAgent(
        name=PEERMEM_LOADER,
        image=image,
        command=["/bin/sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"],
        done=["chroot", "/host", "modprobe", "nvidia-peermem"],
        patience_seconds=1200,  # the OFED driver has to be there first, and compiles on a new node
        node_labels={labels.ACCELERATOR: "nvidia", labels.RDMA_NIC_PRESENT: "true"},
        requests={"cpu": "10m", "memory": "32Mi"},
        limits={"cpu": "200m", "memory": "128Mi"},
        writes=False,
        repeats=True,
    )

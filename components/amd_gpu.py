"""AMD's GPUs: kernel driver, AMD's GPU Operator, and the device plugin it deploys."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from components import labels
from components.gpu_operator import feature_discovery_values
from components.gpu_software import GpuSoftwareArgs
from components.host_agent import HostAgent, host_agent
from components.in_cluster import (
    controller_tolerations,
    node_agent_tolerations,
    privileged_namespace,
    release,
)
from gpufleet.catalog.operator_sets import AmdDriver, AmdParts, Image
from gpufleet.errors import ConfigurationError

NAMESPACE = "kube-amd-gpu"
DRIVER_INSTALLER = "amdgpu-driver-installer"
_VIRTUAL_FUNCTION = "feature.node.kubernetes.io/amd-vgpu"
"""Set by the rule of AMD's chart; Azure gives out virtual functions (Azure/aks-rdma-infiniband configs/
amd-device-config)."""
_INSTALL = Path(__file__).parent / "data" / "install_amdgpu.sh"


class AmdGpu(pulumi.ComponentResource):
    """AMD's kernel driver by package, cert-manager, AMD's GPU Operator and the DeviceConfig it acts on.

    The route of Azure/aks-rdma-infiniband tests/README.md. The operator could build the driver itself, but only into a
    registry that it may push to, so the package of AMD's repository is installed on the node, and `driver.enable` is
    off.

    Not here: GPU partitioning, the test runner, AMD's DRA driver.
    """

    def __init__(self, name: str, args: GpuSoftwareArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:AmdGpu", name, {}, opts)
        parts, access = args.operators.amd, args.access
        if parts is None:
            raise ConfigurationError(f"operator set {args.operators.name} has nothing for AMD's GPUs")
        namespace = privileged_namespace(f"{name}-namespace", NAMESPACE, access.child(self, depends_on=args.after))
        host_agent(
            f"{name}-driver",
            driver_installer(parts.driver, parts.driver_installer),
            namespace.metadata.name,
            access.child(self, depends_on=args.after),
        )
        certificates = core.v1.Namespace(
            f"{name}-cert-manager-namespace",
            metadata=meta.v1.ObjectMetaArgs(name="cert-manager", labels={labels.POD_SECURITY_ENFORCE: "restricted"}),
            opts=access.child(self),
        )
        cert_manager = release(
            f"{name}-cert-manager",
            parts.cert_manager,
            certificates,
            values=cert_manager_values(),
            # Its webhook answers for the operator's certificates, and its pods run on the system pool.
            skip_await=False,
            opts=access.child(self),
        )
        operator = release(
            f"{name}-release",
            parts.gpu_operator,
            namespace,
            values=amd_operator_values(owns_discovery=args.owns_discovery),
            skip_await=args.may_be_empty,
            opts=access.child(self, depends_on=[*args.after, cert_manager]),
            release_name="amd-gpu-operator",
        )
        apiextensions.CustomResource(
            f"{name}-device-config",
            api_version="amd.com/v1alpha1",
            kind="DeviceConfig",
            metadata=meta.v1.ObjectMetaArgs(name="gpu-operator", namespace=namespace.metadata.name),
            spec=device_config(parts),
            opts=access.child(self, depends_on=[operator]),
        )
        self.register_outputs({})


def cert_manager_values() -> dict[str, object]:
    """Values of cert-manager's chart: everything on the system pool, its definitions with it."""
    on_system_pool = {"tolerations": controller_tolerations()}
    return {
        "crds": {"enabled": True},
        **on_system_pool,
        "webhook": on_system_pool,
        "cainjector": on_system_pool,
        "startupapicheck": on_system_pool,
    }


def amd_operator_values(*, owns_discovery: bool) -> dict[str, object]:
    """Values of AMD's chart: Azure/aks-rdma-infiniband configs/values/amd-gpu-operator, and where pods may run."""
    manager = {"manager": {"tolerations": controller_tolerations()}}
    discovery: dict[str, object] = {"enabled": owns_discovery}
    if owns_discovery:
        discovery |= feature_discovery_values()
    return {
        "node-feature-discovery": discovery,
        # Its definitions are needed by the operator even with the driver off.
        "kmm": {
            "enabled": True,
            "controller": manager,
            "webhookServer": {"webhookServer": {"tolerations": controller_tolerations()}},
        },
        "controllerManager": manager,
        # Ours says where pods may run.
        "crds": {"defaultCR": {"install": False}},
    }


def device_config(parts: AmdParts) -> dict[str, object]:
    """What AMD's operator deploys on nodes with its virtual functions."""
    tolerations = node_agent_tolerations()
    return {
        "driver": {
            "enable": False,
            "blacklist": False,
            "tolerations": tolerations,
            # The operator's default upgrades by itself, drains by force and reboots. The driver isn't its own here.
            "upgradePolicy": {
                "enable": False,
                "rebootRequired": False,
                "nodeDrainPolicy": {"force": False},
                "podDeletionPolicy": {"force": False},
            },
        },
        "devicePlugin": {
            "devicePluginImage": str(parts.device_plugin),
            "devicePluginTolerations": tolerations,
            "enableNodeLabeller": True,
            "nodeLabellerImage": str(parts.node_labeller),
            "nodeLabellerTolerations": tolerations,
        },
        "metricsExporter": {
            "enable": True,
            "serviceType": "ClusterIP",
            "port": 5000,
            "image": str(parts.metrics_exporter),
            "tolerations": tolerations,
        },
        "configManager": {"enable": False},
        "testRunner": {"enable": False},
        "selector": {_VIRTUAL_FUNCTION: "true"},
    }


def driver_installer(driver: AmdDriver, image: Image) -> HostAgent:
    """Installs amdgpu-dkms of one version on the node, from AMD's package repository, and loads it.

    A node that has the package only loads it, so a restart costs seconds. Another version reaches new nodes alone: the
    module of a running node is in use.
    """
    return HostAgent(
        name=DRIVER_INSTALLER,
        image=image,
        command=["chroot", "/host", "/bin/sh", "-c", _INSTALL.read_text(encoding="utf-8")],
        done=["test", "-d", "/sys/module/amdgpu"],
        patience_seconds=1800,  # dkms compiles the module
        node_labels={labels.ACCELERATOR: "amd"},
        requests={"cpu": "100m", "memory": "256Mi"},
        limits={"cpu": "8", "memory": "8Gi"},
        writes=True,
        repeats=False,
        environment={"PACKAGES": driver.packages, "VERSION": driver.version, "DISTRIBUTION": driver.distribution},
    )

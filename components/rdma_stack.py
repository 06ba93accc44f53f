"""InfiniBand inside the cluster: Network Operator, then NICs, then the GPU Operator."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, meta

from components import labels
from components.gpu_operator import GpuOperator, GpuOperatorArgs, feature_discovery_values
from components.in_cluster import (
    ClusterAccess,
    controller_tolerations,
    node_agent_tolerations,
    privileged_namespace,
    release,
)
from gpufleet.catalog.operator_sets import Image, all_sets

RDMA_RESOURCE = "rdma/ib"
"""Extended resource of the SR-IOV device plugin: one virtual function, exclusive, 8 on an ND node."""


@dataclass(frozen=True, kw_only=True)
class RdmaStackArgs:
    """Arguments of RdmaStack."""

    access: ClusterAccess
    may_be_empty: bool
    """Whether the cluster's RDMA pools can be at zero nodes."""


class RdmaStack(pulumi.ComponentResource):
    """Network Operator with feature discovery, the rule that finds InfiniBand NICs, the NIC policy, the GPU Operator.

    The order is that of Azure/aks-rdma-infiniband: the GPU driver builds nvidia-peermem against the OFED driver, so
    that comes first. Pods get `rdma/ib` by the SR-IOV device plugin: exclusive and fastest; the shared plugin must not
    run on the same pool.

    Not here: IPoIB (3 GB/s, not RDMA), the MPI operator, topology labels, acceptance tests. The subscription's feature
    flag AKSInfinibandSupport is a precondition that no template can set.
    """

    def __init__(self, name: str, args: RdmaStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:RdmaStack", name, {}, opts)
        access = args.access
        namespace = privileged_namespace(f"{name}-network-operator-namespace", "network-operator", access.child(self))
        network_operator = release(
            f"{name}-network-operator",
            all_sets()[0].network_operator,
            namespace,
            values=network_operator_values(),
            skip_await=args.may_be_empty,
            opts=access.child(self),
        )
        feature_rule = apiextensions.CustomResource(
            f"{name}-nic-feature-rule",
            api_version="nfd.k8s-sigs.io/v1alpha1",
            kind="NodeFeatureRule",
            metadata=meta.v1.ObjectMetaArgs(name="infiniband-nics"),
            spec=nic_feature_rule(),
            opts=access.child(self, depends_on=[network_operator]),
        )
        nic_policy = apiextensions.CustomResource(
            f"{name}-nic-cluster-policy",
            api_version="mellanox.com/v1alpha1",
            kind="NicClusterPolicy",
            metadata=meta.v1.ObjectMetaArgs(name="nic-cluster-policy"),
            spec=nic_cluster_policy(),
            opts=access.child(self, depends_on=[network_operator, feature_rule]),
        )
        GpuOperator(
            f"{name}-gpu-operator",
            GpuOperatorArgs(access=access, rdma=True, may_be_empty=args.may_be_empty, after=[nic_policy]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def network_operator_values() -> dict[str, object]:
    """Values of the chart: it owns feature discovery, with our rule in place of its own."""
    return {
        "nfd": {"enabled": True, "deployNodeFeatureRules": False},
        "sriovNetworkOperator": {"enabled": False},
        "operator": {"tolerations": controller_tolerations()},
        "node-feature-discovery": feature_discovery_values(),
    }


def nic_feature_rule() -> dict[str, object]:
    """Labels nodes that have one of the ND sizes' InfiniBand virtual functions.

    The vendor alone would match every accelerated Ethernet NIC of Azure.
    """
    devices = all_sets()[0].infiniband_devices
    return {
        "rules": [
            {
                "name": "infiniband virtual function",
                "labels": {labels.RDMA_NIC_PRESENT: "true"},
                "matchFeatures": [
                    {
                        "feature": "pci.device",
                        "matchExpressions": {
                            "vendor": {"op": "In", "value": [devices.vendor]},
                            "device": {"op": "In", "value": list(devices.devices)},
                        },
                    }
                ],
            }
        ]
    }


def nic_cluster_policy() -> dict[str, object]:
    """OFED driver and SR-IOV device plugin on nodes with InfiniBand NICs.

    Unlike in its source (Azure/aks-rdma-infiniband configs/nicclusterpolicy), the driver never upgrades itself: its
    upgrade drains nodes by force, under whatever job trains on them.
    """
    operators = all_sets()[0]
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": labels.RDMA_NIC_PRESENT, "operator": "In", "values": ["true"]}]}
                ]
            }
        },
        "tolerations": node_agent_tolerations(),
        "ofedDriver": {
            **_image(operators.ofed_driver),
            "forcePrecompiled": False,
            # The driver's modules lose a race against the ones the kernel has loaded (Mellanox/doca-driver-build#52).
            "env": [
                {"name": "OFED_BLACKLIST_MODULES_FILE", "value": "/host/etc/modprobe.d/blacklist-ofed-modules.conf"}
            ],
            "upgradePolicy": {"autoUpgrade": False},
            "startupProbe": {"initialDelaySeconds": 10, "periodSeconds": 20},
            "livenessProbe": {"initialDelaySeconds": 30, "periodSeconds": 30},
            "readinessProbe": {"initialDelaySeconds": 10, "periodSeconds": 30},
        },
        "sriovDevicePlugin": {
            **_image(operators.sriov_device_plugin),
            "config": json.dumps(_device_plugin_config(operators.infiniband_devices.vendor)),
        },
    }


def _device_plugin_config(vendor: str) -> dict[str, object]:
    prefix, resource = RDMA_RESOURCE.split("/")
    selectors = {"vendors": [vendor], "linkTypes": ["infiniband"], "isRdma": True}
    return {"resourceList": [{"resourcePrefix": prefix, "resourceName": resource, "selectors": selectors}]}


def _image(image: Image) -> dict[str, str]:
    return {"repository": image.repository, "image": image.image, "version": image.version}

"""InfiniBand inside the cluster: Network Operator, then NICs."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, meta

from components import labels
from components.gpu_operator import feature_discovery_values
from components.in_cluster import (
    ClusterAccess,
    controller_tolerations,
    node_affinity,
    node_agent_tolerations,
    privileged_namespace,
    release,
)
from gpufleet.catalog.gpu_stack import RdmaDevices
from gpufleet.catalog.operator_sets import Image, OperatorSet

RDMA_RESOURCES = {RdmaDevices.SRIOV: "rdma/ib", RdmaDevices.SHARED: "rdma/shared_ib"}
"""Extended resource by device plugin: one virtual function each, 8 on an ND node; or one of the places on a node that
see all of its virtual functions."""
SHARED_PLACES = 63
"""Pods of a node that may share its InfiniBand (Azure/aks-rdma-infiniband configs/nicclusterpolicy/
rdma-shared-device-plugin)."""


@dataclass(frozen=True, kw_only=True)
class RdmaStackArgs:
    """Arguments of RdmaStack."""

    access: ClusterAccess
    operators: OperatorSet
    devices: RdmaDevices
    """Which device plugin; the two exclude each other on a node."""
    may_be_empty: bool
    """Whether the cluster's RDMA pools can be at zero nodes."""


class RdmaStack(pulumi.ComponentResource):
    """Network Operator with feature discovery, the rule that finds InfiniBand NICs, the NIC policy.

    The order is that of Azure/aks-rdma-infiniband. What brings the GPU driver waits for `ready`: nvidia-peermem is
    built and loaded against the OFED driver.

    Not here: the GPUs' own software, IPoIB (3 GB/s, not RDMA), the MPI operator, topology labels, acceptance tests. The
    subscription's feature flag AKSInfinibandSupport is a precondition that no template can set.
    """

    ready: pulumi.Resource
    """Once this is there, the OFED driver is on its way to the nodes."""

    def __init__(self, name: str, args: RdmaStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:RdmaStack", name, {}, opts)
        access, operators = args.access, args.operators
        namespace = privileged_namespace(f"{name}-network-operator-namespace", "network-operator", access.child(self))
        network_operator = release(
            f"{name}-network-operator",
            operators.network_operator,
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
            spec=nic_feature_rule(operators),
            opts=access.child(self, depends_on=[network_operator]),
        )
        self.ready = apiextensions.CustomResource(
            f"{name}-nic-cluster-policy",
            api_version="mellanox.com/v1alpha1",
            kind="NicClusterPolicy",
            metadata=meta.v1.ObjectMetaArgs(name="nic-cluster-policy"),
            spec=nic_cluster_policy(operators, args.devices),
            opts=access.child(self, depends_on=[network_operator, feature_rule]),
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


def nic_feature_rule(operators: OperatorSet) -> dict[str, object]:
    """Labels nodes that have one of the ND sizes' InfiniBand virtual functions.

    The vendor alone would match every accelerated Ethernet NIC of Azure.
    """
    devices = operators.infiniband_devices
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


def nic_cluster_policy(operators: OperatorSet, devices: RdmaDevices) -> dict[str, object]:
    """OFED driver and one device plugin on nodes with InfiniBand NICs.

    Unlike in its source (Azure/aks-rdma-infiniband configs/nicclusterpolicy), the driver never upgrades itself: its
    upgrade drains nodes by force, under whatever job trains on them. Without it a node keeps its driver until its
    driver pod is deleted or the node is a new one (Mellanox/network-operator manifests/state-ofed-driver: OnDelete).
    """
    vendor = operators.infiniband_devices.vendor
    if devices is RdmaDevices.SRIOV:
        plugin, image, config = "sriovDevicePlugin", operators.sriov_device_plugin, _sriov_config(vendor)
    else:
        plugin, image, config = "rdmaSharedDevicePlugin", operators.shared_device_plugin, _shared_config(vendor)
    return {
        **node_affinity(labels.RDMA_NIC_PRESENT, "true"),
        "tolerations": node_agent_tolerations(),
        "ofedDriver": {
            **_image(operators.ofed_driver),
            "forcePrecompiled": False,
            # The driver's modules lose a race against the ones the kernel has loaded (Mellanox/doca-driver-build#52).
            "env": [
                {"name": "OFED_BLACKLIST_MODULES_FILE", "value": "/host/etc/modprobe.d/blacklist-ofed-modules.conf"}
            ],
            "upgradePolicy": {"autoUpgrade": False, "drain": {"enable": False, "force": False}},
            "startupProbe": {"initialDelaySeconds": 10, "periodSeconds": 20},
            "livenessProbe": {"initialDelaySeconds": 30, "periodSeconds": 30},
            "readinessProbe": {"initialDelaySeconds": 10, "periodSeconds": 30},
        },
        plugin: {**_image(image), "config": config},
    }


def _sriov_config(vendor: str) -> str:
    prefix, resource = RDMA_RESOURCES[RdmaDevices.SRIOV].split("/")
    selectors = {"vendors": [vendor], "linkTypes": ["infiniband"], "isRdma": True}
    return json.dumps({"resourceList": [{"resourcePrefix": prefix, "resourceName": resource, "selectors": selectors}]})


def _shared_config(vendor: str) -> str:
    prefix, resource = RDMA_RESOURCES[RdmaDevices.SHARED].split("/")
    selectors = {"vendors": [vendor], "linkTypes": ["infiniband"]}
    return json.dumps(
        {
            "configList": [
                {
                    "resourcePrefix": prefix,
                    "resourceName": resource,
                    "rdmaHcaMax": SHARED_PLACES,
                    "selectors": selectors,
                }
            ]
        }
    )


def _image(image: Image) -> dict[str, str]:
    return {"repository": image.repository, "image": image.image, "version": image.version}

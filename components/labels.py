"""Node labels and taints: the ones Kubernetes, AKS and NVIDIA agree on, and ours under `gpufleet.io/`."""

from __future__ import annotations

from typing import TypedDict

POOL = "gpufleet.io/pool"
"""Name of the pool in the specification; stays when the AKS name changes with the generation."""
ROLE = "gpufleet.io/role"
"""What a pool is for, where that is more than its size."""
FABRIC = "gpufleet.io/fabric"
"""The training fabric: the widest level of the queue's topology."""
INFINIBAND_DOMAIN = "gpufleet.io/infiniband-domain"
"""The InfiniBand domain: a gang never spans two of them (one scale set is one fabric, azure-compute-docs
setup-infiniband)."""
TEAM = "gpufleet.io/team"
"""On a team's namespace: its name in the queue."""
MANAGED_BY = {"app.kubernetes.io/managed-by": "gpufleet"}
GPU_MODEL = "gpufleet.io/gpu"
"""Model of the GPU. On the pool and not left to feature discovery, so that the autoscaler sees it while the pool has no
node (Azure/AKS#2832, kubernetes/autoscaler#929)."""

SPOT_LABEL = ("kubernetes.azure.com/scalesetpriority", "spot")
SPOT_TAINT = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"
"""AKS puts both on every spot pool itself; left out here they would be a difference for ever (CAPZ#3976,
terraform-azurerm pull 14024)."""
GPU_TAINT = "nvidia.com/gpu=present:NoSchedule"
"""Keeps pods without a GPU off GPU nodes; the GPU Operator's daemon sets tolerate the key by default."""


def gpu_taint(gpu_resource: str) -> str:
    """The taint of a GPU pool. Its key is the extended resource, so AKS's admission (ExtendedResourceToleration) gives
    pods that ask for one the toleration by itself."""  # noqa: D205, D209
    return f"{gpu_resource}=present:NoSchedule"


SYSTEM_POOL_TAINT = "CriticalAddonsOnly=true:NoSchedule"
"""AKS's own taint for pools that run system pods alone (AKS use-system-pools)."""

POD_SECURITY_ENFORCE = "pod-security.kubernetes.io/enforce"
RDMA_NIC_PRESENT = "feature.node.kubernetes.io/pci-15b3.present"
"""Set by our NodeFeatureRule on nodes with an InfiniBand virtual function; 15b3 is Mellanox's PCI vendor id."""

DRA_NODE = ("nvidia.com/dra-kubelet-plugin", "true")
"""On nodes whose GPUs the DRA driver gives out; by it the GPU driver's manager takes the DRA plugin off a node before
it reloads the driver (Azure/ai-infrastructure-on-azure infrastructure_references/aks/scripts/deploy-aks.sh)."""
ACCELERATOR = "kubernetes.azure.com/accelerator"
"""AKS puts it on its GPU nodes: `nvidia` or `amd` (Azure/aks-rdma-infiniband configs)."""


def label_value(text: str) -> str:
    """`text` as the value of a Kubernetes label: anything outside its alphabet becomes '-', at most 63 characters."""
    mapped = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in text)
    return mapped[:63].strip("-_.")


class Toleration(TypedDict, total=False):
    """By Kubernetes' field names."""

    key: str
    operator: str
    value: str
    effect: str


def toleration(taint: str) -> Toleration:
    """The toleration of `key=value:effect` or `key:effect`."""
    rest, _, effect = taint.rpartition(":")
    key, _, value = rest.partition("=")
    if value:
        return {"key": key, "operator": "Equal", "value": value, "effect": effect}
    return {"key": key, "operator": "Exists", "effect": effect}

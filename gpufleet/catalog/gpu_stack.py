"""How a cluster's GPU nodes get driver, plugin and monitoring: one choice, from which the rest follows."""

from __future__ import annotations

from enum import StrEnum


class GpuStack(StrEnum):
    """Who brings the GPU driver, and how pods get GPUs."""

    MANAGED = "managed"
    """AKS brings the driver with the node image (`gpuProfile.driver` Install); a device plugin gives GPUs out."""
    OPERATOR = "operator"
    """The GPU Operator brings the driver; its device plugin gives GPUs out."""
    OPERATOR_DRA = "operator-dra"
    """The GPU Operator brings the driver; Dynamic Resource Allocation (DRA) gives GPUs and NVLink domains out."""


class RdmaDevices(StrEnum):
    """How pods get InfiniBand devices; the two exclude each other on a node."""

    SRIOV = "sriov"
    """SR-IOV device plugin: `rdma/ib`, each virtual function to one pod."""
    SHARED = "shared"
    """RDMA shared device plugin: `rdma/shared_ib`, all devices to every pod that asks."""

    @property
    def resource(self) -> str:
        """The extended resource that pods ask for."""
        return "rdma/ib" if self is RdmaDevices.SRIOV else "rdma/shared_ib"

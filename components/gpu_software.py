"""What makes a GPU node usable: chosen by the cluster's GPU stack and the makers of its GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.in_cluster import ClusterAccess
from gpufleet.catalog.operator_sets import OperatorSet


@dataclass(frozen=True, kw_only=True)
class GpuSoftwareArgs:
    """Arguments of whatever brings a GPU node's software."""

    access: ClusterAccess
    operators: OperatorSet
    rdma: bool
    """Whether the Network Operator runs beside it: nvidia-peermem is then loaded."""
    owns_discovery: bool
    """Whether it brings node feature discovery, because nothing else does."""
    racks: bool
    """Whether NVLink spans nodes."""
    may_be_empty: bool
    """Whether the cluster's GPU pools can be at zero nodes."""
    after: Sequence[pulumi.Resource] = ()
    """What must be in the cluster before."""

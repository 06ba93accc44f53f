"""From a pool of the specification to the AKS agent pools that carry it: their names, bounds and InfiniBand domains.

A name is base + domain + generation, such as `h100` + `02` + `k7`:

- *domain*, two digits, on RDMA sizes only: one agent pool is one InfiniBand domain (azure-compute-docs
  setup-infiniband), so a plain number of nodes beyond one domain becomes several pools. The first domain carries its
  number too, so growing a pool from one domain to two adds a pool and leaves the first alone.
- *generation*, two characters: a digest of the fields AKS cannot change on an existing pool. Changing one of them gives
  a new name, so the engine adds the new pool and removes the old one instead of replacing it under the same name
  (pulumi-azure-native#2462). Two generations share a digest once in 1,296 times; the change is then a replacement,
  which the preview shows.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass

from gpufleet.catalog import limits, node_profiles, sizes
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.catalog.node_settings import Section
from gpufleet.spec.node_settings import node_configuration
from gpufleet.spec.pool import NodeRange, Pool

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class AgentPoolPlan:
    """One AKS agent pool."""

    name: str
    """At most 12 characters, `^[a-z][a-z0-9]{0,11}$`."""
    nodes: NodeRange | int
    """A range is autoscaled, a number is fixed."""
    domain: int | None
    """Number of its InfiniBand domain within the pool, from 1; None for a size without InfiniBand."""
    generation: str
    """Two characters that change with the fields AKS cannot change."""

    @property
    def min_nodes(self) -> int:
        """The fewest nodes it may have."""
        return self.nodes.min if isinstance(self.nodes, NodeRange) else self.nodes

    @property
    def max_nodes(self) -> int:
        """The most nodes it may have, surge apart."""
        return self.nodes.max if isinstance(self.nodes, NodeRange) else self.nodes


def domain_nodes(pool: Pool) -> int:
    """The most nodes one InfiniBand domain of this pool may have: 100, or what Azure support raised it to.

    Of sizes whose NVLink spans a rack (GB200, GB300) only whole racks: 100 nodes are five racks of 18 and ten nodes
    without the rest of theirs, so a domain has 90.
    """
    most = pool.infiniband.max_nodes if pool.infiniband else limits.value("vmss.infiniband_domain_nodes")
    rack = rack_nodes(pool)
    return most - most % rack if rack is not None and rack <= most else most


def rack_nodes(pool: Pool) -> int | None:
    """Nodes of one NVLink rack; None for a size whose NVLink ends at the node, or one the catalogue doesn't know."""
    size = sizes.find(pool.sku)
    profile = node_profiles.find(size) if size is not None else None
    return profile.nvlink_rack_nodes if profile is not None else None


def agent_pools(pool: Pool) -> list[AgentPoolPlan]:
    """The agent pools of `pool`, in the order of their domains.

    A range is one agent pool. A plain number on an RDMA size fills one domain after the other, so that growing it
    changes the last one and adds new ones, and never touches the others. A size the catalogue doesn't know counts as
    one without InfiniBand.
    """
    generation = _generation(pool)
    size = sizes.find(pool.sku)
    if size is None or not size.rdma:
        return [AgentPoolPlan(name=f"{pool.name}{generation}", nodes=pool.nodes, domain=None, generation=generation)]
    if isinstance(pool.nodes, NodeRange):
        return [AgentPoolPlan(name=f"{pool.name}01{generation}", nodes=pool.nodes, domain=1, generation=generation)]
    full = domain_nodes(pool)
    return [
        AgentPoolPlan(
            name=f"{pool.name}{domain:02}{generation}",
            nodes=min(full, pool.nodes - (domain - 1) * full),
            domain=domain,
            generation=generation,
        )
        for domain in range(1, math.ceil(pool.nodes / full) + 1)
    ]


def _generation(pool: Pool) -> str:
    # Only what AKS cannot change in place: size, priority, disk, pods, zones, spot price, reservation (AKS
    # spot-node-pool, use-nvidia-gpu), on GPU sizes the taints ("can only be set for node pools during creation",
    # AKS use-nvidia-gpu) and the driver (aks-managed-gpu-nodes), and kubelet and kernel settings (Azure/AKS#2591), the
    # defaults among them: AKS would refuse a new default on an old pool. A field that gets added later must stay out
    # while it has its default, or every pool of every environment would rotate.
    size = sizes.find(pool.sku)
    fields: dict[str, object] = {
        "sku": pool.sku.casefold(),
        "priority": pool.priority.value,
        "osDiskGiB": pool.os_disk_gib,
        "maxPods": pool.max_pods,
        "zones": sorted(pool.zones),
    }
    if pool.spot_max_price is not None:
        fields["spotMaxPrice"] = pool.spot_max_price
    if pool.capacity_reservation_group_id is not None:
        fields["capacityReservationGroupId"] = pool.capacity_reservation_group_id.casefold()
    if pool.taints and size is not None and size.is_gpu:
        fields["taints"] = sorted(pool.taints)
    if pool.gpu_stack is GpuStack.MANAGED and size is not None and size.is_gpu:
        fields["gpuDriver"] = "Install"
    configuration = node_configuration(pool)
    for section in Section:
        if stated := configuration.of(section):
            fields[section.value] = {name: _plain(value) for name, value in stated.items()}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()
    number = int.from_bytes(digest[:8], "big") % len(_BASE36) ** 2
    return _BASE36[number // len(_BASE36)] + _BASE36[number % len(_BASE36)]


def _plain(value: object) -> str | list[str]:
    """A setting as text: names are made before the checks have seen it, so it may be anything that YAML can say."""
    if isinstance(value, list):
        return [str(_plain(item)) for item in value]
    return f"{value:x}" if isinstance(value, int) else str(value)

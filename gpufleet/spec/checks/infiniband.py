"""InfiniBand: one agent pool is one domain, with the limits of the scale set behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.catalog import limits, sizes
from gpufleet.spec.base import Priority
from gpufleet.spec.checks.places import PlacedPool, pools_of
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.pool_names import domain_nodes, rack_nodes
from gpufleet.spec.problem import Problem, Severity

_DOMAIN = "azure-compute-docs setup-infiniband and virtual-machine-scale-sets-placement-groups"
_RACK = "azure-compute-docs nd-gb300-v6-series: 18 virtual machines a rack"
_RESERVATION = "azure-compute-docs capacity-reservation-overview; AKS use-capacity-reservation-groups"
_RESERVATION_ID = re.compile(
    r"^/subscriptions/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/resourceGroups/[^/]{1,90}"
    r"/providers/Microsoft\.Compute/capacityReservationGroups/[^/]{1,80}$",
    re.IGNORECASE,
)


def check_infiniband(environment: Environment) -> Iterator[Problem]:
    """Size and zone of domains; RDMA-only settings; capacity reservations; the subscription's feature flag."""
    for placed in pools_of(environment):
        size = sizes.find(placed.pool.sku)
        if size is None:
            continue
        if size.rdma:
            yield from _domain(placed)
            yield from _rack(placed)
        elif placed.pool.infiniband is not None:
            yield Problem(
                path=(*placed.path, "infiniband"),
                message=f"{size.name} has no InfiniBand",
                fix="Leave it out, or use a size with an r in its name such as Standard_ND96isr_H100_v5",
            )
        if placed.pool.capacity_reservation_group_id is not None:
            yield from _reservation(placed, size)
    yield from _feature_flag(environment)


def _domain(placed: PlacedPool) -> Iterator[Problem]:
    pool, path = placed.pool, placed.path
    most = domain_nodes(pool)
    reads = ((*path, "sku"), (*path, "infiniband"))
    if isinstance(pool.nodes, NodeRange) and pool.nodes.max > most:
        raised = limits.value("vmss.infiniband_domain_nodes_raised")
        fix = "Make several pools, or state a plain number of nodes, which is split into domains"
        if pool.infiniband is None:
            fix += f"; where Azure support raised a domain (to at most {raised}), declare it under `infiniband`"
        yield Problem(
            path=(*path, "nodes", "max"),
            message=f"{pool.nodes.max} nodes of {pool.sku} exceed one InfiniBand domain of {most}{_racks(pool, most)}",
            fix=fix,
            source=_DOMAIN,
            reads=reads,
        )
    if len(set(pool.zones)) > 1:
        yield Problem(
            path=(*path, "zones"),
            message="an InfiniBand domain is in one zone",
            fix="Name one zone, or make a pool for each",
            source=_DOMAIN,
            reads=((*path, "sku"),),
        )
    # In training fabrics it is an error (checks/spot.py).
    if pool.priority is Priority.SPOT and placed.scope.path[0] == "inference":
        yield Problem(
            path=(*path, "priority"),
            message=f"spot capacity of {pool.sku} is undocumented, and one eviction stops a model that spans nodes",
            fix="Keep models that span nodes on regular ones",
            source="AKS spot-node-pool",
            severity=Severity.WARNING,
        )


def _rack(placed: PlacedPool) -> Iterator[Problem]:
    pool, path, rack = placed.pool, placed.path, rack_nodes(placed.pool)
    if rack is None:
        return
    if pool.infiniband is not None and pool.infiniband.max_nodes < rack:
        yield Problem(
            path=(*path, "infiniband", "maxNodes"),
            message=f"{pool.infiniband.max_nodes} nodes are less than one NVLink rack of {pool.sku}, {rack}",
            fix=f"Make it a multiple of {rack}",
            source=_RACK,
            reads=((*path, "sku"),),
        )
    nodes, where = (pool.nodes.max, ("nodes", "max")) if isinstance(pool.nodes, NodeRange) else (pool.nodes, ("nodes",))
    if nodes > rack and nodes % rack:
        yield Problem(
            path=(*path, *where),
            message=f"{nodes} nodes are {nodes // rack} whole NVLink racks and {nodes % rack} nodes of another",
            fix=f"Make it a multiple of {rack}: a job that spans racks leaves NVLink for InfiniBand",
            source=_RACK,
            severity=Severity.WARNING,
            reads=((*path, "sku"),),
        )


def _racks(pool: Pool, most: int) -> str:
    rack = rack_nodes(pool)
    return "" if rack is None else f" ({most // rack} whole NVLink racks of {rack})"


def _reservation(placed: PlacedPool, size: sizes.Size) -> Iterator[Problem]:
    pool, path = placed.pool, (*placed.path, "capacityReservationGroupId")
    reads = ((*placed.path, "sku"), (*placed.path, "priority"))
    if not _RESERVATION_ID.match(pool.capacity_reservation_group_id or ""):
        form = "/subscriptions/<id>/resourceGroups/<name>/providers/Microsoft.Compute/capacityReservationGroups/<name>"
        yield Problem(path=path, message="is not the id of a capacity reservation group", fix=f"Its form is {form}")
    if size.is_nd or size.rdma or size.quota_family == "StandardNCadsH100v5Family":
        yield Problem(
            path=path,
            message=f"Azure has no on-demand capacity reservations for {size.name}",
            fix="Leave it out: capacity of this size comes from quota and from keeping the nodes up",
            source=_RESERVATION,
            reads=reads,
        )
    elif pool.priority is Priority.SPOT:
        message = "a spot pool cannot use a capacity reservation"
        yield Problem(path=path, message=message, fix="Leave one of the two out", source=_RESERVATION, reads=reads)


def _feature_flag(environment: Environment) -> Iterator[Problem]:
    first: dict[sizes.InfinibandFeature, PlacedPool] = {}
    for placed in pools_of(environment):
        size = sizes.find(placed.pool.sku)
        if size is not None and size.rdma:
            first.setdefault(size.infiniband_feature, placed)
    registered = first.get(sizes.InfinibandFeature.REGISTERED)
    unregistered = first.get(sizes.InfinibandFeature.UNREGISTERED)
    if registered and unregistered:
        other = Problem(path=(*registered.path, "sku"), message="").key
        yield Problem(
            path=(*unregistered.path, "sku"),
            message=f"{unregistered.pool.sku} cannot share a subscription with {registered.pool.sku} ({other}): "
            "the feature Microsoft.ContainerService/AKSInfinibandSupport must be off for the one and on for the other",
            fix="Put them into environments with subscriptions of their own",
            source="Azure/ai-infrastructure-on-azure, Azure/aks-rdma-infiniband: prerequisites",
        )

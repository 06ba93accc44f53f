"""The sandbox's subscription: which sizes it is offered where, its quotas, capacity and feature flags.

The subscription is made up, and so are its quotas (``sandbox/data/quotas.csv``): large enough for the committed
stacks. Offers follow the catalogue's price list: a size that has no price in a region is not offered there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gpufleet.catalog import regions, sizes
from gpufleet.catalog.sizes import InfinibandFeature, Size
from sandbox import arm
from sandbox.azure.model import Context, normalise_location
from sandbox.errors import ArmError
from sandbox.settings import SETTINGS
from sandbox.tables import read_table
from sandbox.values import Properties, reveal

INFINIBAND = "Microsoft.ContainerService/AKSInfinibandSupport"
_CLUSTER = "azure-native:containerservice:ManagedCluster"
_POOL = "azure-native:containerservice:AgentPool"
_TOTAL, _SPOT = "cores", "lowPriorityCores"
_RAISE = "`gpufleet sandbox set quota {region}/{quota} N` raises the sandbox's."


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes that a pool has: the pool's id, their region, size and priority."""

    pool: str
    region: str
    size: str
    count: int
    spot: bool


def pool_nodes(pool_id: str, region: str, profile: Properties) -> Nodes:
    """The nodes that an agent pool's (or an inline profile's) properties ask for."""
    count = reveal(profile.get("count"))
    return Nodes(
        pool=pool_id,
        region=region,
        size=str(reveal(profile.get("vmSize", ""))),
        count=math.ceil(count) if isinstance(count, int | float) else 1,
        spot=reveal(profile.get("scaleSetPriority")) == "Spot",
    )


def require_offered(nodes: Nodes, zones: list[str]) -> None:
    """The region offers the size, in the zones asked for.

    Raises:
        ArmError: SkuNotAvailable or AvailabilityZoneNotSupported.
    """
    size = _size(nodes)
    if not regions.offers(size.name, nodes.region):
        text = (
            f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size.name}' "
            f"is currently not available in location '{nodes.region}'. Please try another size or deploy to a "
            "different location or different zone. See https://aka.ms/azureskunotavailable for details."
        )
        raise ArmError(409, "SkuNotAvailable", text)
    region = regions.find(nodes.region)
    # Which zones hold a size differs by subscription, so only a region without any is a contradiction.
    if zones and region is not None and region.has_zones is False:
        text = (
            f"The zone(s) '{','.join(zones)}' for resource '{arm.name_of(nodes.pool)}' is not supported. The supported "
            f"zones for location '{nodes.region}' are ''"
        )
        raise ArmError(400, "AvailabilityZoneNotSupported", text)


def require_feature(context: Context, nodes: Nodes) -> None:
    """The InfiniBand feature flag is as the size asks for.

    Raises:
        ArmError: it is not.
    """
    size = _size(nodes)
    state = feature_state(context, INFINIBAND)
    if size.infiniband_feature is InfinibandFeature.REGISTERED and state != "Registered":
        text = (
            f"Preview feature {INFINIBAND} not registered. Please see https://aka.ms/aks/previews for how to enable "
            "features."
        )
    elif size.infiniband_feature is InfinibandFeature.UNREGISTERED and state == "Registered":
        text = f"Preview feature {INFINIBAND} must not be registered for VM size {size.name}."
    else:
        return
    raise ArmError(400, "FeatureNotAllowed" if state == "Registered" else "FeatureNotRegistered", text)


def require_nodes(context: Context, wanted: list[Nodes]) -> None:
    """The region's quotas and its capacity have room for the nodes of one cluster or pool beside everybody else's.

    Regular nodes count against their family and the region's total, Spot nodes against one bucket of their own (Azure
    docs: per-vm-quota-requests, spot-quota). A pool that shrinks, or only changes a label, is let through even where
    the quota has been cut below it.

    Raises:
        ArmError: ErrCode_InsufficientVCPUQuota or QuotaExceeded; AllocationFailed as the end of the operation, for
            missing capacity shows only after the request was accepted.
    """
    mine = {nodes.pool.lower() for nodes in wanted}
    everybody = list(live(context))
    before = {nodes.pool.lower(): nodes for nodes in everybody if nodes.pool.lower() in mine}
    grown = [nodes for nodes in wanted if nodes.count > _count(before.get(nodes.pool.lower()))]
    if not grown:
        return
    others = [nodes for nodes in everybody if nodes.pool.lower() not in mine and nodes.region == grown[0].region]
    for quota in sorted({quota for nodes in grown for quota in _quotas(nodes)}, key=lambda name: name == _TOTAL):
        asked = sum(_vcpus(nodes) for nodes in wanted if quota in _quotas(nodes))
        used = sum(_vcpus(nodes) for nodes in others if quota in _quotas(nodes))
        left = max(quota_limit(context, grown[0].region, quota) - used, 0)
        if asked > left:
            raise _exceeded(grown[0].region, quota, asked=asked, left=left)
    for size in {nodes.size: nodes for nodes in grown}:
        limit = _setting(context, "capacity", f"{grown[0].region}/{size}")
        if isinstance(limit, int) and sum(nodes.count for nodes in [*others, *wanted] if nodes.size == size) > limit:
            text = (
                "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read "
                "more about improving likelihood of allocation success at https://aka.ms/allocation-guidance"
            )
            raise ArmError(409, "AllocationFailed", text, asynchronous=True)


def _count(nodes: Nodes | None) -> int:
    return 0 if nodes is None else nodes.count


def live(context: Context) -> Iterator[Nodes]:
    """The nodes of every pool in the subscription, but for one whose operation ended without any.

    An inline pool that also is a resource of its own counts once.
    """
    records = context.everything
    clusters = [record for record in records if record.get("token") == _CLUSTER]
    place = {
        record["id"].lower(): normalise_location(str(record["outputs"].get("location", ""))) for record in clusters
    }
    seen: set[str] = set()
    for record in records:
        if record.get("token") == _POOL:
            seen.add(record["id"].lower())
            if record["outputs"].get("provisioningState") != "Failed":
                cluster = record["id"].rpartition("/agentPools/")[0]
                yield pool_nodes(record["id"], place.get(cluster.lower(), ""), record["outputs"])
    for record in clusters:
        for profile in record["outputs"].get("agentPoolProfiles") or ():
            pool_id = f"{record['id']}/agentPools/{profile.get('name')}"
            if pool_id.lower() not in seen:
                yield pool_nodes(pool_id, place[record["id"].lower()], profile)


def quota_limit(context: Context, region: str, quota: str) -> int:
    """The vCPUs granted: as set, else by the table's row for the region, else for any region, else for any family."""
    chosen = _setting(context, "quota", f"{region}/{quota}")
    if isinstance(chosen, int):
        return chosen
    granted = _granted()
    return next(granted[key] for key in ((region, quota.lower()), ("*", quota.lower()), ("*", "*")) if key in granted)


def feature_state(context: Context, feature: str) -> str:
    """``Registered`` and so on; a feature that neither is set nor in the table is ``NotRegistered``, as in Azure."""
    chosen = _setting(context, "feature", feature)
    return chosen if isinstance(chosen, str) else _features().get(feature, "NotRegistered")


def principal_type(context: Context, principal: str) -> str | None:
    """The type of a directory object that was made known with a setting, or None."""
    chosen = _setting(context, "principal", principal)
    return chosen if isinstance(chosen, str) else None


def _setting(context: Context, kind: str, key: str) -> str | int | None:
    name = f"{SETTINGS}{kind}/{key}".lower()
    found = next((record for record in context.records(name) if record["id"].lower() == name), None)
    return None if found is None else found["value"]


def _size(nodes: Nodes) -> Size:
    size = sizes.find(nodes.size)
    if size is None:
        near = sizes.nearest(nodes.size)
        hint = f"; did you mean '{near}'?" if near else ""
        raise arm.invalid_parameter(
            "agentPoolProfile.vmSize", f"the sandbox's catalogue has no VM size '{nodes.size}'{hint}"
        )
    return size


def _vcpus(nodes: Nodes) -> int:
    size = sizes.find(nodes.size)
    return nodes.count * size.vcpus if size is not None else 0


def _quotas(nodes: Nodes) -> tuple[str, ...]:
    if nodes.spot:
        return (_SPOT,)
    size = sizes.find(nodes.size)
    return (size.quota_family, _TOTAL) if size is not None else (_TOTAL,)


def _exceeded(region: str, quota: str, *, asked: int, left: int) -> ArmError:
    # AKS's own words: AKS troubleshooting, insufficientvcpuquota; Azure/Mission-Critical-Online#251.
    hint = _RAISE.format(region=region, quota=quota)
    if quota == _SPOT:
        text = (
            "Operation could not be completed as it results in exceeding approved LowPriorityCores quota. Additional "
            f"details - Deployment Model: Resource Manager, Location: {region}, Additional Required: {asked}, left: "
            f"{left}. {hint}"
        )
        return ArmError(409, "QuotaExceeded", text)
    if quota == _TOTAL:
        text = (
            f"Insufficient regional vcpu quota left for location {region}. left regional vcpu quota {left}, requested "
            f"quota {asked}."
        )
    else:
        text = f"Insufficient vcpu quota requested {asked}, remaining {left} for family {quota} for region {region}."
    text += " If you want to increase the quota, please follow this instruction: https://learn.microsoft.com/en-us/azure/quotas/view-quotas."
    return ArmError(400, "ErrCode_InsufficientVCPUQuota", f"{text} {hint}")


@cache
def _granted() -> dict[tuple[str, str], int]:
    rows = read_table("quotas.csv", ("region", "quota", "limit", "as_of", "source"))
    return {(row.text("region"), row.text("quota").lower()): row.integer("limit") for row in rows}


@cache
def _features() -> dict[str, str]:
    return {
        row.text("feature"): row.text("state") for row in read_table("features.csv", ("feature", "state", "source"))
    }

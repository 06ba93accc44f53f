"""What a roll-out of models asks a region for: the registry's replica, monitoring, nodes, quota."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gpufleet.catalog import sizes
from sandbox.azure.context import context_in
from sandbox.azure.model import SANDBOX_TENANT, normalise_location
from sandbox.azure.subscription import live, quota_limit
from sandbox.errors import SandboxError
from sandbox.outages import is_down
from sandbox.settings import SIGNALS, setting
from sandbox.store import Store


@dataclass(frozen=True, kw_only=True)
class PoolNodes:
    """Nodes of one agent pool that are there."""

    size: str
    count: int


def replica_status(store: Store, registry: str, region: str) -> str:
    """Azure's word for the state of a registry's copy in a region, `missing` when there is none.

    Args:
        store: the cloud.
        registry: ARM id.
        region: programmatic name.

    Raises:
        SandboxError: there is no such registry.
    """
    home = store.get(registry)
    if home is None:
        raise SandboxError(f"the registry {registry} is not in the sandbox's cloud")
    if normalise_location(str(home["outputs"].get("location", ""))) == region:
        return "Ready"
    for _, record in store.items(f"{registry}/replications/"):
        if normalise_location(str(record["outputs"].get("location", ""))) == region:
            return str((record["outputs"].get("status") or {}).get("displayStatus", ""))
    return "missing"


def has_manifests(store: Store, region: str) -> bool:
    """Whether the replica of a region has what was pushed: unless it was set to lag."""
    return setting(store, "replication", region) != "Lagging"


def is_signed(store: Store, reference: str) -> bool:
    """Whether a trusted signature covers an image or weights by digest: unless it was set to miss."""
    return setting(store, "signature", reference) != "Missing"


def signals(store: Store, region: str) -> dict[str, float]:
    """What the region's monitoring says, by the names of `sandbox.settings.SIGNALS`.

    Raises:
        SandboxError: the region is down.
    """
    if is_down(store, region):
        raise SandboxError(f"the region {region} is down")
    return {
        name: float(_number(setting(store, "signal", f"{region}/{name}"), usual)) for name, usual in SIGNALS.items()
    }


def nodes(store: Store, cluster: str) -> Iterator[PoolNodes]:
    """The nodes of a cluster, pool by pool.

    Raises:
        SandboxError: there is no such cluster.
    """
    record = store.get(cluster)
    if record is None:
        raise SandboxError(f"the cluster {cluster} is not in the sandbox's cloud")
    with store.transaction() as transaction:
        every = list(live(context_in(transaction, record, SANDBOX_TENANT)))
    for pool in every:
        if pool.pool.lower().startswith(f"{cluster.lower()}/"):
            yield PoolNodes(size=pool.size, count=pool.count)


def quota_left(store: Store, cluster: str, size: str) -> int:
    """What is left of a size's quota: vCPUs that the subscription may still use in the cluster's region.

    Raises:
        SandboxError: there is no such cluster, or no such size.
    """
    record, found = store.get(cluster), sizes.find(size)
    if record is None or found is None:
        raise SandboxError(f"{cluster} or {size} is not in the sandbox's cloud")
    region = normalise_location(str(record["outputs"].get("location", "")))
    with store.transaction() as transaction:
        context = context_in(transaction, record, SANDBOX_TENANT)
        used = sum(
            nodes.count * other.vcpus
            for nodes in live(context)
            if nodes.region == region
            and not nodes.spot
            and (other := sizes.find(nodes.size)) is not None
            and other.quota_family == found.quota_family
        )
        return quota_limit(context, region, found.quota_family) - used


def _number(value: str | int | None, usual: int) -> int:
    return value if isinstance(value, int) else usual

"""AKS agent pools as a state or a plan has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gpufleet.catalog.type_tokens import FABRIC, REGION, plain_type
from gpufleet.cost.item import Item, number

POOL_TYPE = "azure-native:containerservice:AgentPool"
CLUSTER_TYPE = "azure-native:containerservice:ManagedCluster"
POOL_LABEL = "gpufleet.io/pool"
"""Node label with the pool's name in the specification (components.labels)."""


@dataclass(frozen=True, kw_only=True)
class AgentPool:
    """One agent pool.

    Attributes:
        urn: of its resource.
        scope: name of the fabric or inference region that it is in, "" outside of both.
        training: whether that is a training fabric.
        region: of its cluster, "" where the cluster is not known.
        pool: its pool's name in the specification; the AKS name when the nodes have no label that tells.
        name: AKS name, at most 12 characters.
        least, most: nodes; the same for a pool that is not autoscaled. None when they are not known.
        properties: inputs by Azure's own names.
    """

    urn: str
    scope: str
    training: bool
    region: str
    pool: str
    name: str
    least: int | None
    most: int | None
    properties: Mapping[str, object] = field(repr=False, default_factory=dict)

    @property
    def autoscaled(self) -> bool:
        """Whether its count belongs to the cluster autoscaler."""
        return self.properties.get("enableAutoScaling") is True

    @property
    def size(self) -> str:
        """VM size, "" when it is not known."""
        size = self.properties.get("vmSize")
        return size if isinstance(size, str) else ""

    @property
    def spot(self) -> bool:
        """Whether its nodes are Spot VMs."""
        return self.properties.get("scaleSetPriority") == "Spot"


def agent_pools_of(items: Iterable[Item]) -> Iterator[AgentPool]:
    """The agent pools among resources, in the order given; the cluster's inline system pool is none of them.

    Args:
        items: resources and components of one stack, with the components above each pool among them.
    """
    everything = list(items)
    by_urn = {item.urn: item for item in everything}
    regions = {
        scope.urn: str(item.properties.get("location") or "")
        for item in everything
        if plain_type(item.type) == CLUSTER_TYPE and (scope := _scope(item, by_urn)) is not None
    }
    for item in everything:
        if plain_type(item.type) != POOL_TYPE:
            continue
        scope = _scope(item, by_urn)
        name = str(item.properties.get("agentPoolName") or item.name)
        labels = item.properties.get("nodeLabels")
        label = labels.get(POOL_LABEL) if isinstance(labels, Mapping) else None
        autoscaled = item.properties.get("enableAutoScaling") is True
        yield AgentPool(
            urn=item.urn,
            scope=scope.name if scope else "",
            training=scope is not None and plain_type(scope.type) == FABRIC,
            region=regions.get(scope.urn, "") if scope else "",
            pool=label if isinstance(label, str) else name,
            name=name,
            least=_nodes(item, "minCount" if autoscaled else "count"),
            most=_nodes(item, "maxCount" if autoscaled else "count"),
            properties=item.properties,
        )


def scope_names(items: Iterable[Item]) -> dict[str, str]:
    """The fabric or inference region of every resource that is in one, by URN."""
    everything = list(items)
    by_urn = {item.urn: item for item in everything}
    return {item.urn: scope.name for item in everything if (scope := _scope(item, by_urn)) is not None}


def _nodes(item: Item, key: str) -> int | None:
    found = number(item.properties.get(key))
    return None if found is None else int(found)


def _scope(item: Item, by_urn: Mapping[str, Item]) -> Item | None:
    above: Item | None = item
    seen: set[str] = set()
    while above is not None and above.urn not in seen:
        if plain_type(above.type) in {FABRIC, REGION}:
            return above
        seen.add(above.urn)
        above = by_urn.get(above.parent)
    return None

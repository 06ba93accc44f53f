"""SCALE020: addresses for nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Final

from gpufleet.catalog import limits
from gpufleet.catalog.type_tokens import plain_type
from policies.reading import MistypedError, Properties, UndecidedError, total
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, Resource, View

_SUBNET: Final = "azure-native:network:Subnet"


class NodeAddressesSettings(Settings):
    """What SCALE020 reckons with."""

    default_max_pods: int = 30
    """Pods of a node that states no maxPods, where pods have addresses of the nodes' subnet (configure-azure-cni)."""


class NodeAddresses(Rule[Resource, NodeAddressesSettings]):
    """A subnet has an address for every node that may stand in it, at the maximum and with surge.

    Azure keeps five addresses of every subnet, and a subnet in use can't be resized. Where pods have addresses of the
    same subnet (Azure CNI without overlay), each node takes one more for each pod that it may run.
    """

    id = "SCALE020"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "maxAddresses"
    fix = "Make the subnet larger before it is made, or lower the pools' maxima"
    source = "Azure virtual network FAQ; AKS upgrade-capacity-cost-planning, configure-azure-cni"
    settings = NodeAddressesSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Subnets of this stack in which pools stand, or may."""
        return [subnet for subnet in view.resources(_SUBNET) if _by_subnet(view)[subnet.urn]]

    def judge(self, subject: Resource, view: View, settings: NodeAddressesSettings) -> Iterator[Objection]:
        """Whether the subnet has enough addresses."""
        range_, kept = _range(subject), limits.value("azure.subnet_reserved_addresses")
        room = max(range_.num_addresses - kept, 0)
        pools = _by_subnet(view)[subject.urn]
        needed = total(pools, lambda pool: _addresses(pool, subject, view, settings))
        if needed.known > room:
            yield Objection(
                message=f"{subject.node.name} is {range_} and has {room:,} addresses (Azure keeps {kept}), and its "
                f"nodes may take {needed.known:,} with surge",
                setting=("network", "subnets"),
                amount=needed.known,
            )
        needed.settle()


@lru_cache(maxsize=4)
def _by_subnet(view: View) -> Mapping[str, tuple[Pool, ...]]:
    """By URN of the subnet the pools in it, as far as anybody can tell: a pool of an unknown one may be in each."""
    found: dict[str, list[Pool]] = {subnet.urn: [] for subnet in view.resources(_SUBNET)}
    for pool in view.pools:
        for urn in _subnets_of(pool, view) or _named(pool, view):
            found[urn].append(pool)
    return {urn: tuple(pools) for urn, pools in found.items()}


def _named(pool: Pool, view: View) -> list[str]:
    """The subnets that its `vnetSubnetID` may mean."""
    try:
        id_ = pool.properties.text("vnetSubnetID")
    except (UndecidedError, MistypedError):
        id_ = ""
    if id_ is None:
        return []
    return [subnet.urn for subnet in view.resources(_SUBNET) if not id_ or _means(id_, subnet, view) is not False]


def _means(id_: str, subnet: Resource, view: View) -> bool | None:
    """Whether an ARM id is the subnet's; None when nobody can tell."""
    networks = [subnet.node, *view.graph.sources(subnet.node, "virtualNetworkName")]
    network = next(
        (name for one in networks if isinstance(name := one.properties.get("virtualNetworkName"), str)), None
    )
    name = subnet.node.properties.get("subnetName")
    if not isinstance(name, str) or network is None:
        return None
    return id_.casefold().endswith(f"/virtualnetworks/{network}/subnets/{name}".casefold())


def _subnets_of(pool: Pool, view: View) -> set[str]:
    sources = view.graph.sources(pool.node, "vnetSubnetID" if pool.index is None else "agentPoolProfiles")
    return {source.urn for source in sources if plain_type(source.type) == _SUBNET}


def _addresses(pool: Pool, subnet: Resource, view: View, settings: NodeAddressesSettings) -> int:
    if subnet.urn not in _subnets_of(pool, view) and not _means(
        pool.properties.text("vnetSubnetID") or "", subnet, view
    ):
        raise UndecidedError(f"whether {pool.name} stands in {subnet.node.name} is not known")
    if pool.cluster is None:
        raise UndecidedError(f"which cluster {pool.name} belongs to is not known")
    network = Properties(pool.cluster.properties).below("networkProfile")
    overlay = (network.text("networkPluginMode") or "").casefold() == "overlay"
    flat = (network.text("networkPlugin") or "").casefold() == "azure" and not overlay
    if not flat or pool.properties.has("podSubnetID"):
        return pool.peak
    pods = pool.properties.integer("maxPods")
    return pool.peak * (1 + (settings.default_max_pods if pods is None else pods))


def _range(subnet: Resource) -> IPv4Network:
    stated = subnet.properties.texts("addressPrefixes") or (subnet.properties.text("addressPrefix"),)
    text = next((prefix for prefix in stated if prefix and ":" not in prefix), None)
    if text is None:
        raise MistypedError("addressPrefix is missing, so nobody can say how many nodes fit")
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        raise MistypedError(f"addressPrefix is {text[:40]!r}, no IPv4 range") from None

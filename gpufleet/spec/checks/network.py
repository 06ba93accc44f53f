"""Networks: ranges that nobody may use, ranges that must not touch, ranges large enough for what goes into them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from gpufleet.catalog import limits, sizes
from gpufleet.spec.addresses import LARGEST_PLACES, LONGEST_VNET_PREFIX, Scope, derived_subnets, derived_vnet, scopes
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import most_nodes, pool_nodes, system_nodes
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import ITEMS, Problem

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_OVERLAY = "AKS concepts-network-azure-cni-overlay"
_SUBNET_KEYS = {"system": "system", "gpu": "gpu", "lustre": "lustre", "private_endpoints": "privateEndpoints"}


@dataclass(frozen=True)
class _Range:
    network: IPv4Network
    path: Path
    name: str


def check_networks(environment: Environment) -> Iterator[Problem]:
    """The ranges of every scope by themselves, against each other, and against those of the other scopes."""
    vnets = []
    for scope in scopes(environment):
        vnet = _vnet(scope)
        if isinstance(vnet, Problem):
            yield vnet
            continue
        vnets.append(vnet)
        subnets = _subnets(scope, vnet)
        ranges = [vnet, *_cluster_ranges(scope)]
        yield from _usable([*ranges, *subnets] if scope.network.subnets else ranges)
        yield from _disjoint(ranges, ())
        yield from _inside(subnets, vnet)
        yield from _large_enough(scope, {subnet.name: subnet for subnet in subnets})
    # Derived networks follow from the places in the file, and a fabric that was left out moves those behind it.
    yield from _disjoint(vnets, (("training", ITEMS), ("inference", "regions", ITEMS), ("inference",)))


def _vnet(scope: Scope) -> _Range | Problem:
    path = (*scope.path, "network", "vnetCidr")
    if scope.network.vnet_cidr is None:
        if scope.place >= LARGEST_PLACES:
            message = f"is the {scope.place + 1}th place with a network, and networks are derived for {LARGEST_PLACES}"
            return Problem(path=path, message=message, fix="State vnetCidr")
        return _Range(IPv4Network(derived_vnet(scope.place)), path, "the virtual network")
    network = IPv4Network(scope.network.vnet_cidr)
    if network.prefixlen > LONGEST_VNET_PREFIX and scope.network.subnets is None:
        message = f"{network} is too small to be divided into subnets"
        fix = f"Make it a /{LONGEST_VNET_PREFIX} or larger, or state `subnets`"
        return Problem(path=path, message=message, fix=fix, reads=(path, (*scope.path, "network", "subnets")))
    return _Range(network, path, "the virtual network")


def _subnets(scope: Scope, vnet: _Range) -> list[_Range]:
    subnets = scope.network.subnets or derived_subnets(str(vnet.network))
    path = (*scope.path, "network", "subnets")
    return [_Range(IPv4Network(getattr(subnets, name)), (*path, key), key) for name, key in _SUBNET_KEYS.items()]


def _cluster_ranges(scope: Scope) -> list[_Range]:
    path = (*scope.path, "cluster")
    return [
        _Range(IPv4Network(scope.cluster.pod_cidr), (*path, "podCidr"), "the pod range"),
        _Range(IPv4Network(scope.cluster.service_cidr), (*path, "serviceCidr"), "the service range"),
    ]


def _usable(ranges: list[_Range]) -> Iterator[Problem]:
    for item in ranges:
        for reserved in limits.reserved_ranges():
            if item.network.overlaps(reserved.network):
                yield Problem(
                    path=item.path,
                    message=f"{item.network} touches {reserved.network}, which belongs to {reserved.reserved_by}",
                    fix="Choose another range, such as one in 10.0.0.0/8",
                    source=reserved.note,
                )
        if not any(item.network.subnet_of(private) for private in _PRIVATE):
            yield Problem(
                path=item.path,
                message=f"{item.network} is not private address space",
                fix="Use 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
                source="RFC 1918, RFC 6598",
            )


def _disjoint(ranges: list[_Range], reads: tuple[Path, ...]) -> Iterator[Problem]:
    for first, second in itertools.combinations(ranges, 2):
        if first.network.overlaps(second.network):
            other = Problem(path=first.path, message="").key
            yield Problem(
                path=second.path,
                message=f"{second.name} {second.network} overlaps {first.name} {first.network} ({other})",
                fix="Choose ranges that don't touch",
                reads=(first.path, second.path, *reads),
            )


def _inside(subnets: list[_Range], vnet: _Range) -> Iterator[Problem]:
    smallest = limits.value("azure.vnet_longest_prefix")
    for subnet in subnets:
        if not subnet.network.subnet_of(vnet.network):
            message = f"{subnet.network} is not inside the virtual network {vnet.network}"
            yield Problem(path=subnet.path, message=message, fix="Choose a part of it", reads=(subnet.path, vnet.path))
        if subnet.network.prefixlen > smallest:
            message = f"{subnet.network} is smaller than Azure's smallest subnet, a /{smallest}"
            yield Problem(path=subnet.path, message=message, fix="Make it larger", source="Azure virtual network FAQ")
    yield from _disjoint(subnets, ())


def _large_enough(scope: Scope, subnets: dict[str, _Range]) -> Iterator[Problem]:
    kept = limits.value("azure.subnet_reserved_addresses")
    with_gpu = [pool for pool in scope.pools if (size := sizes.find(pool.sku)) and size.is_gpu]
    without = [pool for pool in scope.pools if (size := sizes.find(pool.sku)) and not size.is_gpu]
    for name, nodes in (("gpu", pool_nodes(with_gpu)), ("system", pool_nodes(without) + system_nodes(scope))):
        subnet = subnets[name]
        room = subnet.network.num_addresses - kept
        if nodes > room:
            yield Problem(
                path=subnet.path,
                message=f"{subnet.network} has room for {max(room, 0):,} nodes (Azure keeps {kept} addresses), "
                f"and {nodes:,} may be there with surge",
                fix="Make it larger, or lower the pools' bounds",
                source="azure virtual network FAQ; " + _OVERLAY,
                reads=(subnet.path, (*scope.path, "network", "vnetCidr")),
                lower_bound=True,
            )
    pods = IPv4Network(scope.cluster.pod_cidr)
    node_prefix, nodes = limits.value("aks.overlay_node_prefix"), most_nodes(scope)
    room = 2 ** (node_prefix - pods.prefixlen) if pods.prefixlen <= node_prefix else 0
    if nodes > room:
        yield Problem(
            path=(*scope.path, "cluster", "podCidr"),
            message=f"{pods} holds {room:,} nodes (the overlay network takes a /{node_prefix} a node), "
            f"and {nodes:,} may be there with surge",
            fix="Make it larger, for it can't be changed later; the default 10.128.0.0/11 holds 8,192",
            source=_OVERLAY,
        )
    yield from _service_range(scope)


def _service_range(scope: Scope) -> Iterator[Problem]:
    network, path = IPv4Network(scope.cluster.service_cidr), (*scope.path, "cluster", "serviceCidr")
    shortest = limits.value("aks.service_cidr_shortest_prefix")
    source = "AKS configure-azure-cni, service address range"
    if network.prefixlen < shortest:
        message = f"{network} is too large: AKS asks for a service range smaller than a /12"
        yield Problem(path=path, message=message, fix="A /16 is plenty", source=source)
    elif network.prefixlen > 28:
        # The cluster's DNS service takes the tenth address of the range.
        message = f"{network} is too small for the cluster's own services"
        yield Problem(path=path, message=message, fix="Make it a /28 or larger", source=source)

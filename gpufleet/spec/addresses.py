"""The address plan: the virtual network and subnets of every training fabric and inference region."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from gpufleet.spec.base import Path
from gpufleet.spec.cluster import Cluster, Network, Subnets
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import Pool

LONGEST_VNET_PREFIX = 20
"""The smallest virtual network the plan can divide: its smallest subnet is then a /28."""
LARGEST_PLACES = 128
"""Places with a derived network: 10.0.0.0/16 to 10.127.0.0/16, below the default pod range 10.128.0.0/11."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A place with a cluster and a network of its own: a training fabric or an inference region."""

    name: str
    region: str
    path: Path
    """Where it stands in the specification, such as `("training", 0)`."""
    place: int
    """Its number among all scopes, fabrics first; the derived network follows from it."""
    cluster: Cluster
    network: Network
    pools: tuple[Pool, ...]


@dataclass(frozen=True, kw_only=True)
class ScopeAddresses:
    """The networks of one scope, in CIDR form."""

    vnet: str
    subnets: Subnets


def scopes(environment: Environment) -> Iterator[Scope]:
    """All scopes of the environment in their places: training fabrics first, then inference regions."""
    place = 0
    for index, fabric in enumerate(environment.training):
        yield Scope(
            name=fabric.name,
            region=fabric.region,
            path=("training", index),
            place=place,
            cluster=fabric.cluster,
            network=fabric.network,
            pools=tuple(fabric.pools),
        )
        place += 1
    for index, region in enumerate(environment.inference.regions if environment.inference else []):
        yield Scope(
            name=region.name,
            region=region.name,
            path=("inference", "regions", index),
            place=place,
            cluster=region.cluster,
            network=region.network,
            pools=tuple(region.pools),
        )
        place += 1


def address_plan(environment: Environment) -> dict[str, ScopeAddresses]:
    """The networks by scope name (fabric name or inference region name), stated or derived.

    The derived virtual network is 10.<place>.0.0/16. The checks of a loaded environment guarantee that everything fits
    and is disjoint; called on anything else it raises ValueError for a place beyond 127 or a virtual network smaller
    than a /20.
    """
    return {scope.name: scope_addresses(scope) for scope in scopes(environment)}


def scope_addresses(scope: Scope) -> ScopeAddresses:
    """The networks of one scope."""
    vnet = scope.network.vnet_cidr or derived_vnet(scope.place)
    return ScopeAddresses(vnet=vnet, subnets=scope.network.subnets or derived_subnets(vnet))


def derived_vnet(place: int) -> str:
    """The virtual network of a place, from 0."""
    if not 0 <= place < LARGEST_PLACES:
        raise ValueError(f"place {place} has no derived network; state vnetCidr")
    return f"10.{place}.0.0/16"


def derived_subnets(vnet_cidr: str) -> Subnets:
    """The subnets of a virtual network, in fixed shares whatever stands in it.

    Of a /16: gpu a /18 (16,379 nodes), system a /20, private endpoints a /24, and Lustre a /18, which is enough for the
    largest documented file system. Shares do not follow the sizes of what is in them, for a subnet in use can't be
    resized.
    """
    vnet = ipaddress.IPv4Network(vnet_cidr)
    if vnet.prefixlen > LONGEST_VNET_PREFIX:
        raise ValueError(f"{vnet_cidr} is too small to divide; a /{LONGEST_VNET_PREFIX} or larger is needed")
    quarters = list(vnet.subnets(prefixlen_diff=2))
    sixteenths = list(quarters[1].subnets(prefixlen_diff=2))
    return Subnets(
        gpu=str(quarters[0]),
        system=str(sixteenths[0]),
        privateEndpoints=str(next(sixteenths[1].subnets(prefixlen_diff=4))),
        lustre=str(quarters[2]),
    )

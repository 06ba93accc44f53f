"""Clusters: AKS's limits on nodes and pools, the control plane's tier, access to the API server."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import limits
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.checks.places import most_nodes, repeated
from gpufleet.spec.cluster import Tier
from gpufleet.spec.environment import Environment, EnvironmentClass
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.problem import Problem

_LIMITS = "AKS container-service-limits"
_TIERS = "AKS free-standard-pricing-tiers, best-practices-performance-scale-large"


def check_clusters(environment: Environment) -> Iterator[Problem]:
    """Nodes and pools of each cluster, its tier, who may reach it."""
    for scope in scopes(environment):
        yield from _size(scope)
        yield from _tier(scope, environment)
        yield from _access(scope)


def _size(scope: Scope) -> Iterator[Problem]:
    path = (*scope.path, "pools")
    nodes, most = most_nodes(scope), limits.value("aks.nodes_per_cluster")
    if nodes > most:
        yield Problem(
            path=path,
            message=f"{nodes:,} nodes at the most, with surge and system pool, exceed the {most:,} of an AKS cluster",
            fix="Lower the bounds, or put pools into another fabric or region",
            source=_LIMITS,
            lower_bound=True,
        )
    pools, most_pools = 1 + sum(len(agent_pools(pool)) for pool in scope.pools), limits.value("aks.pools_per_cluster")
    if pools > most_pools:
        yield Problem(
            path=path,
            message=f"{pools} agent pools (system pool and domains included) exceed the {most_pools} of a cluster",
            fix="Put pools into another fabric or region",
            source=_LIMITS,
            lower_bound=True,
        )


def _tier(scope: Scope, environment: Environment) -> Iterator[Problem]:
    if scope.cluster.tier is not Tier.FREE:
        return
    path = (*scope.path, "cluster", "tier")
    nodes, most = most_nodes(scope), limits.value("aks.nodes_per_cluster_free_tier")
    if environment.environment_class is EnvironmentClass.PRODUCTION:
        message = "production needs a control plane with an SLA, and the Free tier has none"
        yield Problem(
            path=path, message=message, fix="Use Standard or Premium", source=_TIERS, reads=(path, ("class",))
        )
    elif nodes > most:
        message = f"the Free tier is for up to {most} nodes, and this cluster may have {nodes:,}"
        yield Problem(path=path, message=message, fix="Use Standard or Premium", source=_TIERS)


def _access(scope: Scope) -> Iterator[Problem]:
    server, path = scope.cluster.api_server, (*scope.path, "cluster", "apiServer")
    if server.private and server.authorized_ip_ranges:
        yield Problem(
            path=(*path, "authorizedIpRanges"),
            message="a private API server has no authorized ranges",
            fix="Leave them out, or set private to false",
            source="AKS api-server-authorized-ip-ranges, limitations",
        )
    for index, first in repeated(server.authorized_ip_ranges):
        message = f"is the same as authorizedIpRanges[{first}]"
        yield Problem(path=(*path, "authorizedIpRanges", index), message=message, fix="Keep one")
    for index, first in repeated([group.casefold() for group in scope.cluster.admin_group_object_ids]):
        message = f"is the same as adminGroupObjectIds[{first}]"
        yield Problem(path=(*scope.path, "cluster", "adminGroupObjectIds", index), message=message, fix="Keep one")

"""The container registry: a copy in every region whose clusters pull from it."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import regions
from gpufleet.spec.addresses import scopes
from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import ITEMS, Problem
from gpufleet.spec.registry import RegistrySku

_CLUSTERS = (("training", ITEMS), ("inference", "regions", ITEMS))


def check_registry(environment: Environment) -> Iterator[Problem]:
    """Replicas ask for Premium, and a region whose clusters pull has one."""
    registry = environment.registry
    used = list(dict.fromkeys(scope.region for scope in scopes(environment)))
    wanted = list(dict.fromkeys([*used, *(registry.regions or [])]))
    if registry.sku is not RegistrySku.PREMIUM and len(wanted) > 1:
        yield Problem(
            path=("registry", "sku"),
            message=f"a {registry.sku.value} registry has no replicas for the {len(wanted)} regions",
            fix="Use Premium",
            source="Azure Container Registry geo-replication",
            reads=(("registry", "sku"), ("registry", "regions"), *_CLUSTERS),
        )
    if registry.regions is not None:
        yield from _pinned(environment, registry.regions)


def _pinned(environment: Environment, pinned: list[str]) -> Iterator[Problem]:
    for index, first in repeated(pinned):
        yield Problem(
            path=("registry", "regions", index), message=f"is the same as registry.regions[{first}]", fix="Keep one"
        )
    for scope in scopes(environment):
        if scope.region not in pinned and regions.find(scope.region) is not None:
            yield Problem(
                path=("registry", "regions"),
                message=f"the registry has no replica in {scope.region}, where {scope.name} pulls images and weights",
                fix=f"Add {scope.region}, or leave registry.regions out: then every region with a cluster has one",
                source="Azure Container Registry geo-replication",
                reads=(("registry", "regions"), *_CLUSTERS),
            )

"""Regions: known to Azure, allowed by the environment, with the zones that are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import regions
from gpufleet.spec.addresses import scopes
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import pools_of, repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import ITEMS, Problem, Severity

_REGION_LIST = "Azure regions list, data/regions.csv"


def check_regions(environment: Environment) -> Iterator[Problem]:
    """Unknown, disallowed and restricted regions; zones in a region without any."""
    for index, name in enumerate(environment.allowed_regions):
        yield from _known(name, ("allowedRegions", index))
    for index, first in repeated(environment.allowed_regions):
        yield Problem(path=("allowedRegions", index), message=f"is the same as allowedRegions[{first}]", fix="Keep one")
    for index, origin in enumerate(environment.inference.demand if environment.inference else []):
        # Users may be next to a region where nobody may build.
        if regions.find(origin.region) is None:
            yield from _known(origin.region, ("inference", "demand", index, "region"))
    for name, path in _used(environment):
        yield from _known(name, path)
        if name not in environment.allowed_regions and regions.find(name):
            yield Problem(
                path=path,
                message=f"{name} is not among allowedRegions ({', '.join(environment.allowed_regions)})",
                fix="Add it there, or choose one of them",
                reads=(("allowedRegions", ITEMS),),
            )
    yield from _zones(environment)


def _used(environment: Environment) -> Iterator[tuple[str, Path]]:
    for index, fabric in enumerate(environment.training):
        yield fabric.region, ("training", index, "region")
    for index, region in enumerate(environment.inference.regions if environment.inference else []):
        yield region.name, ("inference", "regions", index, "name")
    for index, name in enumerate(environment.registry.regions or []):
        yield name, ("registry", "regions", index)


def _known(name: str, path: Path) -> Iterator[Problem]:
    region = regions.find(name)
    if region is None:
        near = regions.nearest(name)
        fix = f"Did you mean {near}?" if near else "Use the programmatic name, such as eastus"
        yield Problem(path=path, message=f"{name} is not an Azure region", fix=fix, source=_REGION_LIST)
    elif region.restricted and path[0] != "allowedRegions":
        yield Problem(
            path=path,
            message=f"{name} is open only to customers that asked Azure for it",
            fix="Make sure that the subscription has access",
            source=_REGION_LIST,
            severity=Severity.WARNING,
        )


def _zones(environment: Environment) -> Iterator[Problem]:
    for placed in pools_of(environment):
        region = regions.find(placed.scope.region)
        if placed.pool.zones and region is not None and region.has_zones is False:
            yield Problem(
                path=(*placed.path, "zones"),
                message=f"{region.name} has no availability zones",
                fix="Leave zones out, or choose a region with zones",
                source=_REGION_LIST,
                reads=((*placed.scope.path, "region"),),
            )
        for index, first in repeated(placed.pool.zones):
            yield Problem(path=(*placed.path, "zones", index), message=f"is the same as zones[{first}]", fix="Keep one")
    for scope in scopes(environment):
        region = regions.find(scope.region)
        if scope.network.nat_zone and region is not None and region.has_zones is False:
            yield Problem(
                path=(*scope.path, "network", "natZone"),
                message=f"{region.name} has no availability zones",
                fix="Leave the zone out",
                source=_REGION_LIST,
            )
    for index, fabric in enumerate(environment.training):
        region = regions.find(fabric.region)
        lustre = fabric.storage.lustre
        if lustre and lustre.zone and region is not None and region.has_zones is False:
            yield Problem(
                path=("training", index, "storage", "lustre", "zone"),
                message=f"{region.name} has no availability zones",
                fix="Leave the zone out",
                source=_REGION_LIST,
            )

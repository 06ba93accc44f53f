"""PLAT008: where resources are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.spec.base import Path
from policies.reading import UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_AZURE = "azure-native:"
_LOCATED = (
    CLUSTER,
    "azure-native:containerregistry:Registry",
    "azure-native:containerregistry:Replication",
    "azure-native:monitor:AzureMonitorWorkspace",
    "azure-native:network:VirtualNetwork",
    "azure-native:operationalinsights:Workspace",
    "azure-native:resources:ResourceGroup",
    "azure-native:storage:StorageAccount",
    "azure-native:storagecache:AmlFilesystem",
)


class AllowedRegionsSettings(Settings):
    """What PLAT008 allows."""

    also: tuple[str, ...] = ()
    """Regions beside the environment's own `allowedRegions`, by their programmatic names."""


class AllowedRegions(Rule[Resource, AllowedRegionsSettings]):
    """Every resource is in one of the environment's allowed regions, or global.

    Where data and models may be is a decision of its own, and a price: a Standard_NC80adis_H100_v5 is 13.96 USD an hour
    in eastus and 20.24 in japaneast. `location` is optional in the SDK, and what leaves it out lands in the provider's
    default region, so what computes or keeps data has to state it. Front Door, DNS zones and alerts are global and
    exempt.
    """

    id = "PLAT008"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Use an allowed region, or add this one to `allowedRegions`"
    source = "pulumi-azure-native#215"
    settings = AllowedRegionsSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """What has a location, and what has to have one."""
        return [
            one
            for one in view.resources()
            if one.type.startswith(_AZURE) and (one.properties.has("location") or one.type in _LOCATED)
        ]

    def judge(self, subject: Resource, view: View, settings: AllowedRegionsSettings) -> Iterator[Objection]:
        """Its location."""
        location = subject.properties.text("location")
        if location is None:
            yield Objection(
                message=f"{subject.node.name} has no location: the provider's default decides",
                fix="State its location",
                at=_at(subject),
            )
            return
        name = _programmatic(location)
        if name == "global":
            return
        if view.declared is None and not settings.also:
            raise UndecidedError("the stack has no gpufleet environment, so nobody has said which regions are allowed")
        own = view.declared.environment.allowed_regions if view.declared else []
        allowed = [*own, *settings.also]
        if name not in {_programmatic(region) for region in allowed}:
            yield Objection(
                message=f"{subject.node.name} is in {location}, and allowed are {', '.join(allowed)}", at=_at(subject)
            )


def _programmatic(location: str) -> str:
    """`eastus` of `East US`: Azure takes both."""
    return "".join(location.split()).casefold()


def _at(subject: Resource) -> Path:
    if subject.place is None:
        return ("allowedRegions",)
    return subject.place.path("region" if subject.place.kind == "training" else "name")

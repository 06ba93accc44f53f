"""SCALE011: production serves from two regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.catalog.type_tokens import plain_type
from policies.reading import MistypedError, UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Declared, Resource, View

_ORIGIN = "azure-native:cdn:AFDOrigin"
_GROUP = "azure-native:cdn:AFDOriginGroup"
_ENDPOINT = "azure-native:trafficmanager:Endpoint"
_TRAFFIC_MANAGER = "Traffic Manager"
_AT = ("inference", "regions")


class TwoRegionsSettings(Settings):
    """What SCALE011 asks for."""

    min_regions: int = 2
    """Regions behind one origin group in production."""


class TwoRegions(Rule[Declared, TwoRegionsSettings]):
    """Production serves from two regions at least, which share one Front Door origin group or one Traffic Manager.

    Front Door's priorities and weights act among the origins of one group alone. A group for each region, as one of the
    multi-region pictures of AKS has it, never fails over: each route has one region, and its users wait until that is
    back. An origin that is disabled takes no one over either, unless its region is declared as drained, for that can be
    taken back.
    """

    id = "SCALE011"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "missingRegions"
    fix = "Add a region to inference.regions; every region is an origin of the one group"
    source = "AKS reliability-multi-region-deployment-models; Azure Front Door origin, routing-methods"
    settings = TwoRegionsSettings

    def subjects(self, view: View) -> Iterable[Declared]:
        """The environment, when it is production and serves models."""
        declared = view.declared
        serves = declared is not None and declared.environment.inference is not None
        return [declared] if declared is not None and serves and view.production else []

    def judge(self, subject: Declared, view: View, settings: TwoRegionsSettings) -> Iterator[Objection]:
        """How many regions the group with the most of them has."""
        regions: dict[str, set[str]] = {}
        unread: list[UndecidedError | MistypedError] = []
        for origin in view.resources(_ORIGIN):
            try:
                if _serves(origin, "enabledState", view):
                    regions.setdefault(_group(origin, view), set()).add(_region(origin, view))
            except (UndecidedError, MistypedError) as error:
                unread.append(error)
        for endpoint in view.resources(_ENDPOINT):
            try:
                nested = endpoint.properties.text("endpointType") == "nestedEndpoints"
                if not nested and _serves(endpoint, "endpointStatus", view):
                    regions.setdefault(_TRAFFIC_MANAGER, set()).add(_region(endpoint, view))
            except (UndecidedError, MistypedError) as error:
                unread.append(error)
        most = max(map(len, regions.values()), default=0)
        if most >= settings.min_regions:
            return
        if unread:
            raise unread[0]
        largest = f"the largest of {len(regions)} origin groups" if len(regions) > 1 else "its origin group"
        yield Objection(
            message=f"{largest} has {most} region{'' if most == 1 else 's'} that serve{'s' if most == 1 else ''}, and "
            f"production needs {settings.min_regions}, so that one may be lost",
            at=_AT,
            amount=settings.min_regions - most,
        )


def _group(origin: Resource, view: View) -> str:
    """What is the same for the origins of one group."""
    for source in view.graph.sources(origin.node, "originGroupName"):
        if plain_type(source.type) == _GROUP:
            return source.urn
    names = [origin.properties.text(key) or "" for key in ("profileName", "originGroupName")]
    return "/".join(names).casefold()


def _serves(origin: Resource, state: str, view: View) -> bool:
    enabled = (origin.properties.text(state) or "Enabled").casefold() == "enabled"
    return enabled or _region(origin, view) in view.drained


_LEADS_BY = ("hostName", "sharedPrivateLinkResource", "targetResourceId")
"""What names a region's gateway: its public name, its Private Link service, its address."""


def _region(origin: Resource, view: View) -> str:
    """URN of the region whose gateway it leads to."""
    for source in (source for key in _LEADS_BY for source in view.graph.sources(origin.node, key)):
        place = view.resource(source).place
        if place is not None and place.kind == "inference":
            return place.urn
    raise UndecidedError(f"which region {origin.node.name} leads to is not known")

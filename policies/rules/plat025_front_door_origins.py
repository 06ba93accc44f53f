"""PLAT025: Front Door's timeout and origins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.graph import Node
from policies.reading import UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_PROFILE = "azure-native:cdn:Profile"
_GROUP = "azure-native:cdn:AFDOriginGroup"
_ORIGIN = "azure-native:cdn:AFDOrigin"


class FrontDoorOriginsSettings(Settings):
    """What PLAT025 asks for."""

    min_timeout_seconds: int = 16
    """The shortest origin response timeout that Front Door takes."""
    max_timeout_seconds: int = 240
    """The longest."""
    enabled_origins: int = 2
    """Enabled origins of a group, where the platform has that many regions."""


class FrontDoorOrigins(Rule[Resource, FrontDoorOriginsSettings]):
    """Front Door waits 16 to 240 s for an answer, and of two regions both are enabled origins of one group.

    What takes longer than the timeout is cut off, so long answers stream. Priority and weight act among the origins of
    one group alone: two groups of one region each never fail over, and neither does a second origin that is disabled,
    or that is the first one's region again. A region that is declared as drained is not asked for.
    """

    id = "PLAT025"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Put an enabled origin of every region into one group"
    source = "cdn API specification 2025-06-01, front-door troubleshoot-issues, front-door routing-methods"
    settings = FrontDoorOriginsSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Profiles and origin groups."""
        return view.resources(_PROFILE, _GROUP)

    def judge(self, subject: Resource, view: View, settings: FrontDoorOriginsSettings) -> Iterator[Objection]:
        """A profile's timeout, a group's origins."""
        if subject.type == _PROFILE:
            yield from _timeout(subject, settings)
            return
        regions = sum(place.kind == "inference" and place.urn not in view.drained for place in view.places)
        wanted = min(regions, settings.enabled_origins)
        hosts = {_host(origin) for origin in _origins(subject, view)}
        if len(hosts) < wanted:
            yield Objection(
                message=f"{subject.node.name} has {len(hosts)} enabled origins with hosts of their own, and the "
                f"platform has {regions} regions",
                at=("inference", "regions"),
            )


def _timeout(profile: Resource, settings: FrontDoorOriginsSettings) -> Iterator[Objection]:
    seconds = profile.properties.integer("originResponseTimeoutSeconds")
    if seconds is not None and not settings.min_timeout_seconds <= seconds <= settings.max_timeout_seconds:
        yield Objection(
            message=f"{profile.node.name} waits {seconds:,} s for an origin, and Front Door takes "
            f"{settings.min_timeout_seconds} to {settings.max_timeout_seconds}",
            fix="Change the timeout; answers that take longer stream",
            at=("inference", "frontDoor", "originResponseTimeoutSeconds"),
        )


def _origins(group: Resource, view: View) -> Iterator[Resource]:
    for origin in view.resources(_ORIGIN):
        if _is_in(origin, group, view) and (origin.properties.text("enabledState") or "Enabled") == "Enabled":
            yield origin


def _is_in(origin: Resource, group: Resource, view: View) -> bool:
    sources: list[Node] = list(view.graph.sources(origin.node, "originGroupName"))
    if sources:
        return any(source.urn == group.urn for source in sources)
    name = origin.properties.text("originGroupName")
    if name is None:
        raise UndecidedError(f"the origin group of {origin.node.name} is not known")
    return name == group.properties.text("originGroupName")


def _host(origin: Resource) -> object:
    """Its host name, or while nobody knows it what it is made from."""
    name = origin.properties.values.get("hostName")
    return name if isinstance(name, str) else origin.node.property_dependencies.get("hostName", origin.urn)

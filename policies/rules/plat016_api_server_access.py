"""PLAT016: who reaches the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import UndecidedError
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_RANGES = ("apiServerAccessProfile", "authorizedIPRanges")
_ANYWHERE = "0.0.0.0/0"


class ApiServerAccess(Rule[Resource, Settings]):
    """A cluster's API server is private, or reached from stated ranges only.

    A public API server answers the whole internet, and what keeps it safe is Entra alone. Ranges are the less work: no
    peering, no private DNS, and pipelines still reach it. Advisory, for who may reach a cluster is the environment's to
    say.
    """

    id = "PLAT016"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    fix = "State `cluster.apiServer.authorizedIpRanges`, or `private: true`"
    source = "AKS api-server-authorized-ip-ranges, private-clusters"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every cluster."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its access profile; of ranges that hold addresses not made yet, what was declared."""
        if subject.properties.flag("apiServerAccessProfile", "enablePrivateCluster"):
            return
        ranges = _ranges(subject)
        if _ANYWHERE in ranges or not ranges:
            yield Objection(
                message=f"the API server of {subject.node.name} is public to "
                f"{'any address' if not ranges else f'{_ANYWHERE}, which is everybody'}",
                setting=("cluster", "apiServer"),
            )


def _ranges(cluster: Resource) -> tuple[str, ...]:
    try:
        return cluster.properties.texts(*_RANGES)
    except UndecidedError:
        declared = cluster.place.scope if cluster.place is not None else None
        stated = tuple(declared.cluster.api_server.authorized_ip_ranges) if declared is not None else ()
        if not stated:
            raise
        return stated

"""PLAT015: who may do what in a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View


class EntraAndRbac(Rule[Resource, Settings]):
    """People come to a cluster by Microsoft Entra ID, and Kubernetes RBAC decides what they may do.

    Without RBAC every pod's token is an administrator's; without Entra there is no group, no conditional access and no
    name in the audit log.
    """

    id = "PLAT015"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = "Set aadProfile.managed and enableRBAC"
    source = "AKS enable-authentication-microsoft-entra-id, concepts-identity"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every cluster."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its switches; RBAC is on unless stated otherwise."""
        if not subject.properties.flag("aadProfile", "managed"):
            yield Objection(message=f"{subject.node.name} has no Entra integration (aadProfile.managed is not true)")
        if subject.properties.flag("enableRBAC") is False:
            yield Objection(message=f"{subject.node.name} has no Kubernetes RBAC (enableRBAC is false)")

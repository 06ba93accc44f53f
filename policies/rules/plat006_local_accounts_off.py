"""PLAT006: local accounts of clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View


class LocalAccountsOff(Rule[Resource, Settings]):
    """A cluster has no local accounts.

    A local account is a certificate of a cluster administrator that nobody's departure takes away and no conditional
    access sees; AKS makes it unless told otherwise. The Azure Machine Learning extension does not support clusters
    without local accounts, and older Chaos Mesh faults of Chaos Studio were documented to fail on them: such a cluster
    needs a waiver that names it.
    """

    id = "PLAT006"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = (
        "Set disableLocalAccounts; a cluster that Azure Machine Learning's extension or an older Chaos Studio fault "
        "attaches to needs a waiver"
    )
    source = "AKS manage-local-accounts-managed-azure-ad, Azure ML how-to-deploy-kubernetes-extension"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every cluster."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its switch."""
        if not subject.properties.flag("disableLocalAccounts"):
            yield Objection(message=f"{subject.node.name} has local accounts (disableLocalAccounts is not true)")

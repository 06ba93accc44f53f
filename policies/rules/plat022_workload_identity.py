"""PLAT022: how pods come to Azure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View


class WorkloadIdentity(Rule[Resource, Settings]):
    """A cluster has workload identity and the OIDC issuer that it needs.

    Pods then come to storage and metrics as an identity of their own, with tokens of an hour. Without it there is a
    secret in the cluster, or every pod of a node shares the kubelet's identity. Autoscaling by Prometheus metrics needs
    it. The issuer can't be turned off again, so it is on from the start.
    """

    id = "PLAT022"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    scope = Scope.RESOURCE
    fix = "Set oidcIssuerProfile.enabled and securityProfile.workloadIdentity.enabled"
    source = "AKS workload-identity-overview, use-oidc-issuer, autoscale-gpu-workloads-with-keda"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every cluster."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Both switches."""
        for what, path in (
            ("OIDC issuer", ("oidcIssuerProfile", "enabled")),
            ("workload identity", ("securityProfile", "workloadIdentity", "enabled")),
        ):
            if not subject.properties.flag(*path):
                yield Objection(message=f"{subject.node.name} has no {what} ({'.'.join(path)} is not true)")

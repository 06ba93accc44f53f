"""PLAT028: network policies that nothing enforces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.graph import Node
from policies.in_cluster import cluster_of, objects
from policies.reading import UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_POLICY = "networking.k8s.io/NetworkPolicy"


class NetworkPolicies(Rule[Resource, Settings]):
    """A cluster with network policies has an engine that enforces them.

    The API server takes every policy, and without an engine nothing comes of it: a namespace that denies everything by
    default is open to every pod of the cluster. Only what is created with an engine has one without a replacement by
    the provider; `az aks update` brings one to a cluster that is there, and reimages all of its nodes.
    """

    id = "PLAT028"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = (
        "State `cluster.networkPolicy: cilium` before the cluster is made; of one that is there, `az aks update "
        "--network-dataplane cilium` first, then `gpufleet refresh`"
    )
    source = "AKS use-network-policies, upgrade-aks-ipam-and-dataplane; pulumi-azure-native#4756"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Clusters that network policies stand in, or may."""
        holding = {found.urn for one in objects(view, _POLICY) for found in _clusters(view, one)}
        return [one for one in view.resources(CLUSTER) if one.urn in holding]

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its engine."""
        if (subject.properties.text("networkProfile", "networkPolicy") or "none").casefold() == "none":
            yield Objection(
                message=f"{subject.node.name} has network policies, and nothing enforces them",
                setting=("cluster", "networkPolicy"),
            )


def _clusters(view: View, policy: Resource) -> Iterable[Node]:
    """Its cluster; every cluster where nobody knows."""
    try:
        return [cluster_of(view, policy)]
    except UndecidedError:
        return [one.node for one in view.resources(CLUSTER)]

"""PLAT024: the container registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_REGISTRY = "azure-native:containerregistry:Registry"
_REPLICA = "azure-native:containerregistry:Replication"


class RegistryAccess(Rule[Resource, Settings]):
    """A container registry has no admin user and no anonymous pull, and is Premium when it is replicated.

    The admin user is one password for everybody that pushes and pulls, without a name in the log; anonymous pull gives
    a model's image to the internet. Clusters pull with their kubelet's identity and need neither. Replicas are a
    feature of the Premium tier: with another one `up` fails after everything before it was made.
    """

    id = "PLAT024"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Set adminUserEnabled and anonymousPullEnabled false"
    source = "container-registry-authentication, anonymous-pull-access, container-registry-geo-replication"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Registries and their replicas."""
        return view.resources(_REGISTRY, _REPLICA)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """A registry's switches; of a replica, its registry's tier."""
        name = subject.node.name
        if subject.type == _REPLICA:
            registry = _registry(subject, view)
            tier = registry.properties.text("sku", "name")
            if tier != "Premium":
                yield Objection(
                    message=f"{name} replicates {registry.node.name}, which is {tier}",
                    fix="Make the registry Premium",
                    at=("registry", "sku"),
                )
            return
        if subject.properties.flag("adminUserEnabled"):
            yield Objection(message=f"{name} has an admin user")
        if subject.properties.flag("anonymousPullEnabled"):
            yield Objection(message=f"{name} lets anybody pull")


def _registry(replica: Resource, view: View) -> Resource:
    for source in view.graph.sources(replica.node, "registryName"):
        if view.resource(source).type == _REGISTRY:
            return view.resource(source)
    name = replica.properties.text("registryName")
    for registry in view.resources(_REGISTRY):
        if registry.properties.values.get("registryName") == name:
            return registry
    raise UndecidedError(f"the registry of {replica.node.name} is not in the stack")

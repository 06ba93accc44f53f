"""PLAT009: protection of what can't be made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.spec.environment import EnvironmentClass
from policies.immutable import DATA
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_GROUP = "azure-native:resources:ResourceGroup"


class StatefulProtected(Rule[Resource, Settings]):
    """What holds data, its resource group, and every cluster is protected, unless the environment is ephemeral.

    A change of a Lustre file system's size, SKU or subnet is a new file system, and the data of the old one is gone; a
    deleted resource group takes all that is in it along, whatever Pulumi retains. `protect` makes the engine refuse
    both, whoever runs it and however the change came about.
    """

    id = "PLAT009"
    pack = Pack.PLATFORM
    severity = Severity.CRITICAL
    scope = Scope.STACK
    fix = "Set protect in its resource options"
    source = "azure-managed-lustre create-file-system-portal, pulumi options protect"

    def subjects(self, view: View) -> Iterable[Resource]:
        """File systems, storage accounts, containers, registries, the groups they are in, and clusters."""
        if view.declared is not None and view.declared.environment.environment_class is EnvironmentClass.EPHEMERAL:
            return ()
        data = view.resources(*DATA)
        groups = {node.urn for one in data for node in view.graph.sources(one.node, "resourceGroupName")}
        names = {name for one in data if isinstance(name := one.properties.values.get("resourceGroupName"), str)}
        holders = [
            group
            for group in view.resources(_GROUP)
            if group.urn in groups or group.properties.values.get("resourceGroupName") in names
        ]
        return (*data, *holders, *view.resources(CLUSTER))

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the engine refuses to delete it."""
        if not subject.node.protect:
            kind = subject.type.rpartition(":")[2]
            declared = view.declared.environment.environment_class if view.declared else "none of gpufleet's"
            yield Objection(message=f"{subject.node.name} ({kind}) is not protected, and the environment is {declared}")

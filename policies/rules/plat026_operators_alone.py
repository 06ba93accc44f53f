"""PLAT026: operators that get in each other's way, or in a job's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.graph import Node
from policies.in_cluster import charts, inside
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_OPERATORS = ("gpu-operator", "network-operator")
_AMD_OPERATOR = "gpu-operator-charts"
_DISCOVERY = "node-feature-discovery"
_NIC_POLICY = "mellanox.com/NicClusterPolicy"
_AMD_CONFIG = "amd.com/DeviceConfig"


class OperatorsAlone(Rule[Resource, Settings]):
    """A cluster has one owner of node feature discovery, and no operator that drains nodes when its driver is upgraded.

    Both of NVIDIA's operators bring feature discovery and have it on by default; two of them label and unlabel the same
    nodes in turn, and with the labels the driver's pods come and go; AMD's chart brings a third. The Network Operator's
    automatic upgrade takes the nodes one by one and drains them by force, under whatever trains on them; so does AMD's.
    """

    id = "PLAT026"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Set nfd.enabled false in one of the two operators' values"
    source = "Azure/aks-rdma-infiniband configs, network-operator automatic driver upgrade"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every cluster."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Owners of feature discovery, and upgrade policies."""
        cluster = subject.node
        owners = [
            chart.name for chart in charts(view, cluster, *_OPERATORS) if chart.flag("nfd", "enabled", default=True)
        ]
        owners += [
            chart.name
            for chart in charts(view, cluster, _AMD_OPERATOR)
            if chart.flag(_DISCOVERY, "enabled", default=True)
        ]
        owners += [chart.name for chart in charts(view, cluster, _DISCOVERY)]
        if len(owners) > 1:
            yield Objection(
                message=f"{cluster.name} has {len(owners)} owners of node feature discovery: {', '.join(owners)}"
            )
        yield from _upgrades(view, cluster)


def _upgrades(view: View, cluster: Node) -> Iterator[Objection]:
    for policy in inside(view, cluster, _NIC_POLICY):
        if policy.properties.flag("spec", "ofedDriver", "upgradePolicy", "autoUpgrade"):
            yield Objection(
                message=f"{policy.node.name} upgrades its driver by itself and drains nodes for it",
                fix="Set ofedDriver.upgradePolicy.autoUpgrade false",
            )
    for config in inside(view, cluster, _AMD_CONFIG):
        # The definition's default is on.
        if config.properties.flag("spec", "driver", "enable") and (
            config.properties.flag("spec", "driver", "upgradePolicy", "enable") is not False
        ):
            yield Objection(
                message=f"{config.node.name} upgrades its driver by itself and drains nodes for it",
                fix="Set driver.upgradePolicy.enable false",
            )
    for chart in charts(view, cluster, "gpu-operator"):
        if chart.flag("driver", "upgradePolicy", "drain", "enable", default=False):
            yield Objection(
                message=f"{chart.resource.node.name} drains nodes to upgrade its driver",
                fix="Set driver.upgradePolicy.drain.enable false",
            )

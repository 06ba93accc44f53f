"""PLAT012: when AKS may upgrade."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.in_cluster import inside
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_WINDOW = "azure-native:containerservice:MaintenanceConfiguration"
# Each channel, what it is unless stated (managedClusters API specification 2025-08-01), and the name of its window.
_CHANNELS = (
    ("upgradeChannel", "none", "aksManagedAutoUpgradeSchedule"),
    ("nodeOSUpgradeChannel", "NodeImage", "aksManagedNodeOSUpgradeSchedule"),
)
_OFF = ("none", "unmanaged")


class MaintenanceWindowsSettings(Settings):
    """What PLAT012 takes for a window."""

    min_hours: int = 4
    """The shortest that AKS takes."""
    max_hours: int = 24
    """The longest that AKS takes."""


class MaintenanceWindows(Rule[Resource, MaintenanceWindowsSettings]):
    """A cluster that AKS upgrades by itself has a window for it: for versions, and for node images.

    Without `aksManagedAutoUpgradeSchedule` and `aksManagedNodeOSUpgradeSchedule` AKS drains nodes whenever an upgrade
    is ready, in every region at once. A window is 4 to 24 hours long. Unless it is stated otherwise, node images are
    upgraded: `nodeOSUpgradeChannel` is NodeImage by default. Unmanaged updates keep to no window and need none.
    """

    id = "PLAT012"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    scope = Scope.STACK
    fix = "Add a MaintenanceConfiguration of that name, or set the channel to none"
    source = "AKS planned-maintenance, auto-upgrade-cluster, auto-upgrade-node-os-image"
    settings = MaintenanceWindowsSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every cluster."""
        return view.resources(CLUSTER)

    def judge(self, subject: Resource, view: View, settings: MaintenanceWindowsSettings) -> Iterator[Objection]:
        """Its channels and its windows."""
        windows = {one.properties.text("configName"): one for one in inside(view, subject.node, _WINDOW)}
        for channel, default, name in _CHANNELS:
            value = subject.properties.text("autoUpgradeProfile", channel) or default
            if value.casefold() in _OFF:
                continue
            window = windows.get(name)
            if window is None:
                yield Objection(message=f"{subject.node.name} has {channel} {value} and no {name}")
                continue
            hours = window.properties.integer("maintenanceWindow", "durationHours")
            if hours is None or not settings.min_hours <= hours <= settings.max_hours:
                yield Objection(
                    message=f"{name} of {subject.node.name} is "
                    f"{f'{hours} hours long' if hours is not None else 'without durationHours'}, and a window has "
                    f"{settings.min_hours} to {settings.max_hours} hours",
                    fix="Change its durationHours",
                )

"""PLAT021: node images under a Lustre client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.graph import Node
from policies.in_cluster import charts, inside
from policies.reading import may
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

DRIVER = "azurelustre.csi.azure.com"
_CHART = "azurelustre-csi-driver"


class LustreNodeImages(Rule[Resource, Settings]):
    """A cluster that mounts Managed Lustre by its CSI driver does not upgrade node images by itself.

    The Lustre client is a kernel module that is built for a list of kernels. A new node image can bring a kernel that
    is not on it yet, and then every node that comes up mounts nothing, while the ones before it still do. NodeImage,
    SecurityPatch and Unmanaged all bring kernels. Advisory, for how soon the list follows is not documented.
    """

    id = "PLAT021"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    fix = "Set nodeOSUpgradeChannel None, and upgrade node images once the client is out for their kernel"
    source = "amlFilesystem-lustre release notes, azurelustre-csi-driver, AKS auto-upgrade-node-os-image"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Clusters with the driver, or with volumes of it."""
        return may(view.resources(CLUSTER), lambda cluster: _mounts(view, cluster.node))

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its channel for node images; NodeImage unless stated."""
        if not _mounts(view, subject.node):
            return
        channel = subject.properties.text("autoUpgradeProfile", "nodeOSUpgradeChannel") or "NodeImage"
        if channel.casefold() != "none":
            yield Objection(message=f"{subject.node.name} mounts Lustre and has nodeOSUpgradeChannel {channel}")


def _mounts(view: View, cluster: Node) -> bool:
    return bool(
        charts(view, cluster, _CHART)
        or any(
            one.properties.text("provisioner") == DRIVER for one in inside(view, cluster, "storage.k8s.io/StorageClass")
        )
        or any(
            one.properties.text("spec", "csi", "driver") == DRIVER
            for one in inside(view, cluster, "core/PersistentVolume")
        )
        or any(
            one.properties.text("metadata", "name") == DRIVER
            for one in inside(view, cluster, "storage.k8s.io/CSIDriver")
        )
    )

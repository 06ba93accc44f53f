"""SCALE018: the file system's size."""

from __future__ import annotations

from collections.abc import Iterable

from policies.rule import Settings, Severity
from policies.sizing_rule import Fabric, TrainingRule
from policies.view import View


class LustreSize(TrainingRule[Settings]):
    """The file system holds the dataset and its checkpoints, within what its SKU and its subnet allow.

    Size, SKU and subnet of a Managed Lustre file system never change: too small means another file system, and the
    data copied. Each SKU has a largest size, and the subnet needs an address for each of the servers behind it.
    """

    id = "SCALE018"
    severity = Severity.HIGH
    measure = "missingTib"
    fix = "Leave the capacity and the subnets out to have them derived"
    source = "azure-managed-lustre create-file-system-portal, amlfs-prerequisites"
    questions = ("storage-capacity", "storage-maximum", "storage-subnet")

    def subjects(self, view: View) -> Iterable[Fabric]:
        """Fabrics with a workload and a file system."""
        return [one for one in super().subjects(view) if one.declared.storage.lustre is not None]

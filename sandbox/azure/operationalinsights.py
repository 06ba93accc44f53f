"""Microsoft.OperationalInsights: Log Analytics workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, in_range
from sandbox.values import Properties, Secret

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager


def _outputs(context: Context) -> Properties:
    return {"customerId": context.guid("workspace"), "createdDate": context.created, "modifiedDate": context.created}


def _shared_keys(manager: ResourceManager, arguments: Properties) -> Properties:
    workspace = manager.require(manager.id_of(TYPES[0], arguments))
    context = manager.context_of(workspace)
    return {f"{which}SharedKey": Secret(context.secret_bytes(which, 64)) for which in ("primary", "secondary")}


TYPES = (
    ResourceType(
        pulumi_type="azure-native:operationalinsights:Workspace",
        path=RESOURCE_GROUP + "/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}",
        names={
            "workspaceName": NameRule(
                pattern=r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
                text="4 to 63 letters, digits or '-', starting and ending with a letter or digit",
            )
        },
        replace_on=("location",),
        defaults={
            "retentionInDays": 30,
            "sku": {"name": "PerGB2018"},
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
        checks=(in_range("retentionInDays", 7, 730, "Log Analytics docs: data-retention-configure"),),
        outputs=_outputs,
    ),
)

INVOKES = {
    "azure-native:operationalinsights:getSharedKeys": _shared_keys,
    "azure-native:operationalinsights:getWorkspaceSharedKeys": _shared_keys,
}

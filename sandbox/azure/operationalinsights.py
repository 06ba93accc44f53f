"""Microsoft.OperationalInsights: Log Analytics workspaces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox.azure.checks import get, in_range
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import Failure
from sandbox.values import Properties, Secret

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager


# Azure docs: cost-logs, "Commitment tiers".
_COMMITMENTS = (100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 25000, 50000)


def _commitment(inputs: Properties) -> Iterable[Failure]:
    """A commitment tier has a capacity, and only it."""
    name, capacity = get(inputs, "sku.name"), get(inputs, "sku.capacityReservationLevel")
    if name == "CapacityReservation" and capacity is None:
        yield Failure("sku.capacityReservationLevel", "SKU 'CapacityReservation' needs 'sku.capacityReservationLevel'")
    elif isinstance(capacity, int) and (name != "CapacityReservation" or capacity not in _COMMITMENTS):
        levels = ", ".join(map(str, _COMMITMENTS))
        text = f"'sku.capacityReservationLevel' is one of {levels}, with SKU 'CapacityReservation'"
        yield Failure("sku.capacityReservationLevel", text)


def _retention(inputs: Properties) -> Iterable[Failure]:
    """Per-GB workspaces keep data for 30 days at least, or for 7 or 4 in some regions' trial tiers."""
    name, days = get(inputs, "sku.name"), get(inputs, "retentionInDays")
    if name in {"PerGB2018", "CapacityReservation"} and isinstance(days, int) and days < 30:
        yield Failure("retentionInDays", f"SKU '{name}' keeps data for 30 to 730 days, not {days}")


def _daily_quota(inputs: Properties) -> Iterable[Failure]:
    """A daily cap is -1, which is none, or more than 0 (terraform-provider-azurerm: daily_quota_gb)."""
    quota = get(inputs, "workspaceCapping.dailyQuotaGb")
    if isinstance(quota, int | float) and quota != -1 and quota <= 0:
        text = f"'workspaceCapping.dailyQuotaGb' is -1 or more than 0 GB, not {quota:g}"
        yield Failure("workspaceCapping.dailyQuotaGb", text)


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
        checks=(
            in_range("retentionInDays", 4, 730, "Log Analytics docs: data-retention-configure"),
            _retention,
            _commitment,
            _daily_quota,
        ),
        # Azure docs: delete-workspace.
        soft_delete_days=14,
        outputs=_outputs,
    ),
)

INVOKES = {
    "azure-native:operationalinsights:getSharedKeys": _shared_keys,
    "azure-native:operationalinsights:getWorkspaceSharedKeys": _shared_keys,
}

"""Microsoft.Resources: resource groups."""

from __future__ import annotations

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.values import Properties


def _outputs(_: Context) -> Properties:
    return {"properties": {"provisioningState": "Succeeded"}}


TYPES = (
    ResourceType(
        pulumi_type="azure-native:resources:ResourceGroup",
        path=RESOURCE_GROUP,
        names={
            "resourceGroupName": NameRule(
                pattern=r"[-\w.()]{0,89}[-\w()]",
                text="1 to 90 letters, digits, '_', '-', '.', '(' or ')', not ending with '.'",
            )
        },
        replace_on=("location",),
        outputs=_outputs,
    ),
)

"""Microsoft.Insights: action groups and diagnostic settings."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.azure.model import RESOURCE_GROUP, NameRule, ResourceType, only_location
from sandbox.errors import Failure
from sandbox.values import Properties

_DESTINATIONS = (
    "workspaceId",
    "storageAccountId",
    "eventHubAuthorizationRuleId",
    "marketplacePartnerId",
    "serviceBusRuleId",
)


def _destination(inputs: Properties) -> Iterable[Failure]:
    if not any(inputs.get(name) is not None for name in _DESTINATIONS):
        yield Failure("workspaceId", "At least one data sink needs to be specified: one of " + ", ".join(_DESTINATIONS))
    if not inputs.get("logs") and not inputs.get("metrics"):
        yield Failure("logs", "a diagnostic setting needs at least one entry in 'logs' or 'metrics'")


TYPES = (
    ResourceType(
        pulumi_type="azure-native:monitor:ActionGroup",
        path=RESOURCE_GROUP + "/providers/Microsoft.Insights/actionGroups/{actionGroupName}",
        names={
            "actionGroupName": NameRule(
                pattern=r"[^:@%?/\\#&+<>*\"|]{1,260}", text='1 to 260 characters, none of : @ % ? / \\ # & + < > * " |'
            ),
            "groupShortName": NameRule(
                pattern=r".{1,12}",
                text="1 to 12 characters",
                source="monitor API specification, actionGroups: groupShortName",
            ),
        },
        replace_on=("location",),
        # The regions beside 'global' are those that process action groups (Azure Monitor docs, action-groups:
        # "Region").
        checks=(
            only_location(
                "global",
                "northcentralus",
                "northeurope",
                "southcentralus",
                "swedencentral",
                "westeurope",
                "germanywestcentral",
            ),
        ),
        defaults={
            f"{kind}Receivers": []
            for kind in (
                "armRole",
                "automationRunbook",
                "azureAppPush",
                "azureFunction",
                "email",
                "eventHub",
                "incident",
                "itsm",
                "logicApp",
                "sms",
                "voice",
                "webhook",
            )
        },
    ),
    ResourceType(
        pulumi_type="azure-native:monitor:DiagnosticSetting",
        path="/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
        names={
            "name": NameRule(pattern=r"[^*<>%:&\\?+/]{1,260}", text="1 to 260 characters, none of * < > % : & \\ ? + /")
        },
        checks=(_destination,),
        defaults={"logs": [], "metrics": []},
    ),
)

"""Microsoft.Insights: action groups and diagnostic settings; data_collection.py has the module's other types."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sandbox import arm
from sandbox.azure import data_collection
from sandbox.azure.checks import matches, only_location, unique, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.tables import read_table
from sandbox.values import UNKNOWN, Properties

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


def _category_or_group(inputs: Properties) -> Iterable[Failure]:
    """An entry names a category or a group of categories."""
    for where, entry in values(inputs, "logs[]"):
        if isinstance(entry, dict) and UNKNOWN not in entry.values():
            given = [name for name in ("category", "categoryGroup") if entry.get(name) is not None]
            if len(given) != 1:
                yield Failure(f"{where}.category", "a log entry names exactly one of 'category' and 'categoryGroup'")


def _known_category(inputs: Properties) -> Iterable[Failure]:
    """The resource's type has the category."""
    target = inputs.get("resourceUri")
    known = _categories().get(arm.type_of(target).lower(), ()) if isinstance(target, str) else ()
    for where, category in values(inputs, "logs[].category"):
        if known and category not in known:
            yield Failure(where, f"Category '{category}' is not supported; the resource has {', '.join(known)}")


@cache
def _categories() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in read_table("log_categories.csv", ("type", "category", "source")):
        kind = row.text("type").lower()
        found[kind] = (*found.get(kind, ()), row.text("category"))
    return found


# Azure docs: diagnostic-settings, "Limitations".
_MAX_SETTINGS = 5


def _others(context: Context) -> list[Properties]:
    siblings = context.records(context.id.rpartition("/")[0] + "/")
    return [other for other in siblings if other["id"].lower() != context.id.lower()]


def _room_for_one_more(context: Context) -> None:
    """A resource has at most five settings."""
    if len(_others(context)) >= _MAX_SETTINGS:
        text = f"The limit of {_MAX_SETTINGS} diagnostic settings was reached. To create a new one, delete another."
        raise ArmError(400, "BadRequest", text)


def _sink_is_new(context: Context) -> None:
    """One category goes to one sink by one setting."""
    mine = {entry.get("category") or entry.get("categoryGroup") for entry in context.inputs.get("logs") or ()}
    for other in _others(context):
        theirs = {entry.get("category") or entry.get("categoryGroup") for entry in other["inputs"].get("logs") or ()}
        sink = context.inputs.get("workspaceId")
        if sink is not None and other["inputs"].get("workspaceId") == sink and mine & theirs:
            text = (
                f"Data sink '{sink}' is already used in diagnostic setting '{arm.name_of(other['id'])}' for category "
                f"'{min(map(str, mine & theirs))}'. Data sinks can't be reused in different settings on the same "
                "category for the same resource."
            )
            raise ArmError(409, "Conflict", text)


_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_ACTION_GROUPS = "Azure Monitor docs: action-groups"

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
            matches("emailReceivers[].emailAddress", _EMAIL, "an email address", _ACTION_GROUPS),
            matches("webhookReceivers[].serviceUri", r"https?://\S+", "a URL", _ACTION_GROUPS),
            unique("emailReceivers[].name", _ACTION_GROUPS),
            unique("webhookReceivers[].name", _ACTION_GROUPS),
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
        checks=(
            _destination,
            _category_or_group,
            _known_category,
            matches(
                "logAnalyticsDestinationType",
                "Dedicated|AzureDiagnostics",
                "'Dedicated' or 'AzureDiagnostics'",
                "Azure docs: diagnostic-settings",
            ),
        ),
        rules=(_room_for_one_more, _sink_is_new),
        defaults={"logs": [], "metrics": []},
    ),
    *data_collection.TYPES,
)

"""Microsoft.AlertsManagement: rule groups of managed Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox import arm
from sandbox.azure.checks import at_least, in_range, matches, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, normalise_location
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties

_SPEC = "prometheusRuleGroups API specification 2023-03-01"
_DURATION = r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?"
_WORKSPACE = "microsoft.monitor/accounts"


def _record_or_alert(inputs: Properties) -> Iterable[Failure]:
    """A rule records or alerts."""
    for where, rule in values(inputs, "rules[]"):
        if isinstance(rule, dict):
            given = [name for name in ("record", "alert") if rule.get(name) is not None]
            if len(given) != 1:
                yield Failure(f"{where}.record", "a rule has exactly one of 'record' and 'alert'")


def _scoped_to_a_workspace(inputs: Properties) -> Iterable[Failure]:
    """One scope is an Azure Monitor workspace."""
    scopes = [scope for _, scope in values(inputs, "scopes[]")]
    given = inputs.get("scopes")
    known = isinstance(given, list) and len(scopes) == len(given) and all(isinstance(scope, str) for scope in scopes)
    if known and not any(arm.type_of(str(scope)).lower() == _WORKSPACE for scope in scopes):
        yield Failure("scopes", "one of the scopes must be the id of an Azure Monitor workspace")


def _in_the_workspaces_region(context: Context) -> None:
    """Rules run where their workspace is (Azure Monitor docs: prometheus-rule-groups)."""
    for scope in context.inputs.get("scopes") or ():
        workspace = context.find(str(scope)) if arm.type_of(str(scope)).lower() == _WORKSPACE else None
        if workspace is not None and normalise_location(str(workspace.get("location"))) != context.location:
            text = (
                f"The rule group's location {context.location} differs from that of its Azure Monitor workspace, "
                f"{workspace['location']}."
            )
            raise ArmError(400, "BadRequest", text)


TYPES = (
    ResourceType(
        pulumi_type="azure-native:alertsmanagement:PrometheusRuleGroup",
        path=RESOURCE_GROUP + "/providers/Microsoft.AlertsManagement/prometheusRuleGroups/{ruleGroupName}",
        names={
            "ruleGroupName": NameRule(
                pattern=r"[^:@%?/\\#&+<>*\"|]{1,260}",
                text='1 to 260 characters, none of : @ % ? / \\ # & + < > * " |',
                source=_SPEC,
            )
        },
        replace_on=("location",),
        checks=(
            _record_or_alert,
            _scoped_to_a_workspace,
            at_least("rules", 1, _SPEC),
            matches("interval", r"PT([1-9]|1[0-5])M", "PT1M to PT15M", _SPEC),
            matches("rules[].for", _DURATION, "an ISO 8601 duration", _SPEC),
            matches("rules[].resolveConfiguration.timeToResolve", _DURATION, "an ISO 8601 duration", _SPEC),
            matches(
                "rules[].record",
                r"[A-Za-z_:][\w:]*",
                "letters, digits, '_' or ':', no digit first",
                "Prometheus docs: data_model, metric names",
            ),
            in_range("rules[].severity", 0, 4, _SPEC),
        ),
        rules=(_in_the_workspaces_region,),
        defaults={"enabled": True, "interval": "PT1M"},
    ),
)

"""Microsoft.Monitor and the data collection of Microsoft.Insights: how Prometheus metrics get into a workspace."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.azure.checks import at_least, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, normalise_location
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties

_NAMES = "azure-cli acs/azuremonitormetrics: sanitize_name"
_TEMPLATES = "Azure/prometheus-collector AddonBicepTemplate"
_STREAM = "Microsoft-PrometheusMetrics"


def _name(longest: int, allowed: str, text: str) -> NameRule:
    return NameRule(
        pattern=rf"[A-Za-z0-9]([{allowed}]{{0,{longest - 2}}}[A-Za-z0-9])?",
        text=f"1 to {longest} letters, digits{text}, starting and ending with a letter or digit",
        source=_NAMES,
    )


def _workspace(context: Context) -> Properties:
    # Azure keeps the way in that every workspace has in a resource group that it manages.
    group = f"/subscriptions/{context.subscription}/resourceGroups/MA_{context.name}_{context.location}_managed"
    inside = f"{group}/providers/Microsoft.Insights"
    host = f"{context.name.lower()}-{context.token('workspace', 4)}.{context.location}.prometheus.monitor.azure.com"
    return {
        "accountId": context.guid("account"),
        "metrics": {"prometheusQueryEndpoint": f"https://{host}", "internalId": f"mac_{context.guid('internal')}"},
        "defaultIngestionSettings": {
            "dataCollectionEndpointResourceId": f"{inside}/dataCollectionEndpoints/{context.name}",
            "dataCollectionRuleResourceId": f"{inside}/dataCollectionRules/{context.name}",
        },
        "privateEndpointConnections": [],
    }


def _endpoint(context: Context) -> Properties:
    host = f"{context.name.lower()}-{context.token('endpoint', 4)}.{context.location}-1"
    return {
        "immutableId": f"dce-{context.token('immutable', 32)}",
        "logsIngestion": {"endpoint": f"https://{host}.ingest.monitor.azure.com"},
        "metricsIngestion": {"endpoint": f"https://{host}.metrics.ingest.monitor.azure.com"},
        "configurationAccess": {"endpoint": f"https://{host}.handler.control.monitor.azure.com"},
    }


def _rule(context: Context) -> Properties:
    return {"immutableId": f"dcr-{context.token('immutable', 32)}"}


def _flows_have_ends(inputs: Properties) -> Iterable[Failure]:
    """A flow goes to destinations that the rule names."""
    destinations = inputs.get("destinations")
    if not isinstance(destinations, dict):
        return
    ends = [entry for kind in destinations.values() for entry in (kind if isinstance(kind, list) else [kind])]
    names = [entry.get("name") for entry in ends if isinstance(entry, dict)]
    if UNKNOWN in names:
        return
    for where, wanted in values(inputs, "dataFlows[].destinations[]"):
        if wanted not in names:
            yield Failure(
                where, f"'{wanted}' is none of the rule's destinations: {', '.join(map(str, names)) or 'none'}"
            )


def _one_thing(inputs: Properties) -> Iterable[Failure]:
    """An association is with a rule or with an endpoint."""
    given = [name for name in ("dataCollectionRuleId", "dataCollectionEndpointId") if inputs.get(name) is not None]
    if len(given) != 1:
        text = "an association names exactly one of 'dataCollectionRuleId' and 'dataCollectionEndpointId'"
        yield Failure("dataCollectionRuleId", text)


def _endpoint_in_region(context: Context) -> None:
    """A rule and its endpoint are in one region (Azure Monitor docs: data-collection-endpoint-overview)."""
    endpoint = context.find(str(context.inputs.get("dataCollectionEndpointId")))
    if endpoint is not None and normalise_location(str(endpoint.get("location"))) != context.location:
        text = (
            f"The data collection endpoint '{endpoint['name']}' is in {endpoint['location']}, and the "
            f"data collection rule in {context.location}: they must be in one region."
        )
        raise ArmError(400, "InvalidPayload", text)


TYPES = (
    ResourceType(
        pulumi_type="azure-native:monitor:AzureMonitorWorkspace",
        path=RESOURCE_GROUP + "/providers/Microsoft.Monitor/accounts/{azureMonitorWorkspaceName}",
        names={"azureMonitorWorkspaceName": _name(63, "A-Za-z0-9-", " or '-'")},
        replace_on=("location",),
        defaults={"publicNetworkAccess": "Enabled"},
        outputs=_workspace,
    ),
    ResourceType(
        pulumi_type="azure-native:monitor:DataCollectionEndpoint",
        path=RESOURCE_GROUP + "/providers/Microsoft.Insights/dataCollectionEndpoints/{dataCollectionEndpointName}",
        names={"dataCollectionEndpointName": _name(44, "A-Za-z0-9-", " or '-'")},
        replace_on=("location",),
        outputs=_endpoint,
    ),
    ResourceType(
        pulumi_type="azure-native:monitor:DataCollectionRule",
        path=RESOURCE_GROUP + "/providers/Microsoft.Insights/dataCollectionRules/{dataCollectionRuleName}",
        names={"dataCollectionRuleName": _name(64, r"\w-", ", '-' or '_'")},
        replace_on=("location",),
        checks=(_flows_have_ends, at_least("dataFlows", 1, _TEMPLATES), at_least("dataFlows[].streams", 1, _TEMPLATES)),
        rules=(_endpoint_in_region,),
        outputs=_rule,
    ),
    ResourceType(
        pulumi_type="azure-native:monitor:DataCollectionRuleAssociation",
        path="/{resourceUri}/providers/Microsoft.Insights/dataCollectionRuleAssociations/{associationName}",
        names={"associationName": _name(64, r"\w-", ", '-' or '_'")},
        checks=(_one_thing,),
    ),
)

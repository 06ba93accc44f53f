"""Microsoft.Network: Traffic Manager profiles and their endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sandbox import arm
from sandbox.azure.checks import get, in_range, matches, only_location
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties, reveal

_SPEC = "trafficmanager API specification 2022-04-01"
_MONITORING = "Azure docs: traffic-manager-monitoring"
_PROFILES = RESOURCE_GROUP + "/providers/Microsoft.Network/trafficManagerProfiles/{profileName}"
_PROFILE, _ENDPOINT = "azure-native:trafficmanager:Profile", "azure-native:trafficmanager:Endpoint"
_ENDPOINT_TYPES = ("azureEndpoints", "externalEndpoints", "nestedEndpoints")
_FAST, _NORMAL = 10, 30


def _profile(context: Context) -> Properties:
    settings = dict(context.inputs.get("dnsConfig") or {})
    return {
        "dnsConfig": {**settings, "fqdn": f"{settings.get('relativeName')}.trafficmanager.net"},
        "type": "Microsoft.Network/trafficManagerProfiles",
    }


def _is_whole(inputs: Properties) -> Iterable[Failure]:
    for path in ("trafficRoutingMethod", "dnsConfig.relativeName", "dnsConfig.ttl", "monitorConfig.protocol"):
        if get(inputs, path) is None:
            yield Failure(path, f"missing required property '{path}'")


def _monitor_fits(inputs: Properties) -> Iterable[Failure]:
    """Every 30 s, or every 10 with a shorter timeout; HTTP needs a path, TCP none (traffic-manager-monitoring)."""
    interval, timeout = (get(inputs, f"monitorConfig.{name}") for name in ("intervalInSeconds", "timeoutInSeconds"))
    if isinstance(interval, int | float) and interval not in (_FAST, _NORMAL):
        where = "monitorConfig.intervalInSeconds"
        yield Failure(where, f"'{where}' must be {_FAST} or {_NORMAL} ({_MONITORING}), but is {interval:g}")
    longest = 9 if interval == _FAST else 10
    if isinstance(timeout, int | float) and not 5 <= timeout <= longest:
        where = "monitorConfig.timeoutInSeconds"
        yield Failure(where, f"'{where}' must be between 5 and {longest} ({_MONITORING}), but is {timeout:g}")
    protocol, path = get(inputs, "monitorConfig.protocol"), get(inputs, "monitorConfig.path")
    if protocol in ("HTTP", "HTTPS") and path is None:
        yield Failure("monitorConfig.path", "missing required property 'monitorConfig.path'")
    if protocol == "TCP" and path:
        yield Failure("monitorConfig.path", f"'monitorConfig.path' must not be given for TCP ({_MONITORING})")


def _label_is_free(context: Context) -> None:
    """A name below trafficmanager.net is one profile's."""
    label = str(get(context.inputs, "dnsConfig.relativeName")).lower()
    for other in context.of_type(_PROFILE):
        if str(get(other["inputs"], "dnsConfig.relativeName")).lower() == label:
            text = f"Domain name '{label}.trafficmanager.net' is already in use."
            raise ArmError(409, "Conflict", text)


def _profile_is_unused(context: Context) -> None:
    """A profile that another nests stays."""
    for user in context.users(context.id):
        text = f"Profile '{context.name}' is nested by endpoint '{arm.name_of(user)}' and cannot be deleted."
        raise ArmError(409, "Conflict", text)


def _endpoint_is_whole(inputs: Properties) -> Iterable[Failure]:
    """External endpoints have a target, the others a resource; nested ones say when they fail."""
    kind = reveal(inputs.get("endpointType"))
    if isinstance(kind, str) and kind not in _ENDPOINT_TYPES:
        yield Failure("endpointType", f"'endpointType' must be {', '.join(_ENDPOINT_TYPES)}, but is '{kind}'")
    needed = {
        "externalEndpoints": "target",
        "azureEndpoints": "targetResourceId",
        "nestedEndpoints": "targetResourceId",
    }
    if isinstance(kind, str) and (name := needed.get(kind)) and inputs.get(name) is None:
        yield Failure(name, f"missing required property '{name}'")
    if kind == "nestedEndpoints" and inputs.get("minChildEndpoints") is None:
        yield Failure("minChildEndpoints", "missing required property 'minChildEndpoints'")


def _siblings(context: Context) -> Iterator[Properties]:
    profile = _profile_id(context.id).lower()
    return (other for other in context.of_type(_ENDPOINT) if _profile_id(other["id"]).lower() == profile)


def _profile_id(endpoint_id: str) -> str:
    return "/".join(endpoint_id.split("/")[:9])


def _target_has_a_name(context: Context) -> None:
    """A public address is an endpoint by its DNS name (Azure docs: traffic-manager-endpoint-types)."""
    if context.inputs.get("endpointType") != "azureEndpoints":
        return
    target = str(context.inputs.get("targetResourceId"))
    address = context.find(target) or {}
    is_address = arm.type_of(target).lower() == "microsoft.network/publicipaddresses"
    if is_address and not get(address, "dnsSettings.domainNameLabel"):
        text = f"The public IP address '{arm.name_of(target)}' must have a DNS name to be a Traffic Manager endpoint."
        raise ArmError(400, "BadRequest", text)


def _place_is_free(context: Context) -> None:
    """Endpoints of a profile differ in target and, where it routes by priority, in priority."""
    profile = context.find(_profile_id(context.id)) or {}
    for other in _siblings(context):
        theirs, mine = other["inputs"], context.inputs
        for name in ("targetResourceId", "target"):
            if mine.get(name) and str(mine[name]).lower() == str(theirs.get(name, "")).lower():
                text = f"Endpoint '{arm.name_of(other['id'])}' of the profile already has the target '{mine[name]}'."
                raise ArmError(409, "Conflict", text)
        if profile.get("trafficRoutingMethod") == "Priority" and mine.get("priority") == theirs.get("priority"):
            text = f"Endpoint '{arm.name_of(other['id'])}' of the profile already has priority {mine.get('priority')}."
            raise ArmError(400, "BadRequest", text)


def _nested_child_is_not_empty(context: Context) -> None:
    """A nested profile without endpoints never answers (Azure docs: traffic-manager-nested-profiles)."""
    target = str(context.inputs.get("targetResourceId", "")).lower()
    if context.inputs.get("endpointType") == "nestedEndpoints" and not any(
        _profile_id(other["id"]).lower() == target for other in context.of_type(_ENDPOINT)
    ):
        text = f"The nested profile '{arm.name_of(target)}' must have at least one endpoint."
        raise ArmError(400, "BadRequest", text)


def _endpoint(context: Context) -> Properties:
    target = context.find(str(context.inputs.get("targetResourceId", ""))) or {}
    host = get(target, "dnsSettings.fqdn") or get(target, "dnsConfig.fqdn")
    return {
        "type": f"Microsoft.Network/trafficManagerProfiles/{context.inputs['endpointType']}",
        "endpointMonitorStatus": "CheckingEndpoint"
        if context.inputs.get("endpointStatus") != "Disabled"
        else "Disabled",
        **({"target": host} if host else {}),
        **({"endpointLocation": target["location"]} if target.get("location", "global") != "global" else {}),
    }


TYPES = (
    ResourceType(
        pulumi_type=_PROFILE,
        path=_PROFILES,
        names={
            "profileName": NameRule(
                pattern=r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
                text="1 to 63 letters, digits or '-', starting and ending with a letter or digit",
            )
        },
        # terraform-azurerm, azurerm_traffic_manager_profile: another name is another profile.
        immutable=("dnsConfig.relativeName",),
        defaults={"profileStatus": "Enabled", "trafficViewEnrollmentStatus": "Disabled"},
        checks=(
            only_location("global"),
            _is_whole,
            _monitor_fits,
            in_range("dnsConfig.ttl", 0, 2_147_483_647, "Azure docs: traffic-manager-FAQs"),
            in_range("monitorConfig.port", 1, 65535, _SPEC),
            in_range("monitorConfig.toleratedNumberOfFailures", 0, 9, _MONITORING),
            matches("monitorConfig.path", r"/.*", "a path that starts with '/'", _MONITORING),
            matches(
                "dnsConfig.relativeName",
                r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
                "1 to 63 letters, digits or '-'",
                _SPEC,
            ),
        ),
        rules=(_label_is_free,),
        delete_rules=(_profile_is_unused,),
        outputs=_profile,
    ),
    ResourceType(
        pulumi_type=_ENDPOINT,
        path=_PROFILES + "/{endpointType}/{endpointName}",
        type_names=_ENDPOINT_TYPES,
        names={
            "endpointName": NameRule(
                pattern=r"[^:<>*%&?/\\\s]([^:<>*%&?/\\]{0,258}[^:<>*%&?/\\\s])?",
                text="1 to 260 characters, none of : < > * % & ? / \\",
            )
        },
        defaults={"endpointStatus": "Enabled", "weight": 1},
        checks=(
            _endpoint_is_whole,
            in_range("priority", 1, 1000, _SPEC),
            in_range("weight", 1, 1000, _SPEC),
        ),
        rules=(_target_has_a_name, _place_is_free, _nested_child_is_not_empty),
        outputs=_endpoint,
    ),
)

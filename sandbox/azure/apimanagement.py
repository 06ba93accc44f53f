"""Microsoft.ApiManagement: services, APIs with operations and policies, products, subscriptions."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from sandbox import arm
from sandbox.azure.checks import get, matches
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties, reveal

_SPEC = "apimanagement API specification 2022-09-01-preview"
_SERVICE = RESOURCE_GROUP + "/providers/Microsoft.ApiManagement/service/{serviceName}"
_API = _SERVICE + "/apis/{apiId}"
_PRODUCT = _SERVICE + "/products/{productId}"
_MOST_UNITS = {
    "BasicV2": 10,
    "StandardV2": 10,
    "Premium": 10,
    "Consumption": 0,
    "Developer": 1,
    "Basic": 2,
    "Standard": 4,
}
"""Azure docs: api-management v2-service-tiers-overview, azure-subscription-service-limits."""
_SERVICE_TYPE = "azure-native:apimanagement:ApiManagementService"


def _id(longest: int) -> NameRule:
    return NameRule(
        pattern=rf"[^*#&+:<>?/\\]{{1,{longest}}}",
        text=f"1 to {longest} characters, none of * # & + : < > ? / \\",
        source=_SPEC,
    )


def _service_is_whole(inputs: Properties) -> Iterable[Failure]:
    for path in ("publisherEmail", "publisherName", "sku.name", "sku.capacity"):
        if get(inputs, path) is None:
            yield Failure(path, f"missing required property '{path}'")


def _units_fit(inputs: Properties) -> Iterable[Failure]:
    """Units by tier (Azure docs: api-management v2-service-tiers-overview; azure-subscription-service-limits)."""
    name, units = get(inputs, "sku.name"), get(inputs, "sku.capacity")
    most = _MOST_UNITS.get(name) if isinstance(name, str) else None
    if most is not None and isinstance(units, int | float) and units > most:
        yield Failure("sku.capacity", f"'sku.capacity' must be at most {most} for {name}, but is {units:g}")


def _regions_need_premium(inputs: Properties) -> Iterable[Failure]:
    """More than one region is Premium's (Azure docs: api-management-howto-deploy-multi-region)."""
    name = get(inputs, "sku.name")
    if isinstance(name, str) and name != "Premium" and inputs.get("additionalLocations"):
        yield Failure("additionalLocations", f"additional locations need the Premium tier, not {name}")


def _policy_is_xml(inputs: Properties) -> Iterable[Failure]:
    """A policy is one `policies` element with the four sections (Azure docs: api-management-howto-policies)."""
    text, kind = reveal(inputs.get("value")), reveal(inputs.get("format"))
    if not isinstance(text, str) or kind in {"xml-link", "rawxml-link"}:
        return
    try:
        root = ET.fromstring(text)  # noqa: S314 - the program's own
    except ET.ParseError as error:
        yield Failure("value", f"'value' is not a policy document: {error}")
        return
    unknown = {one.tag for one in root} - {"inbound", "backend", "outbound", "on-error", "include-fragment"}
    if root.tag != "policies" or unknown:
        named = min(unknown) if unknown else root.tag
        yield Failure("value", f"'value' is not a policy document: unexpected element '{named}'")


def _name_is_free(context: Context) -> None:
    """A service's name is part of its host name, and unique in Azure."""
    for other in context.of_type(_SERVICE_TYPE):
        if arm.name_of(other["id"]).lower() == context.name.lower():
            text = f"Api service already exists: {context.name}"
            raise ArmError(409, "ServiceAlreadyExists", text)


def _path_is_free(context: Context) -> None:
    """Two APIs of a service differ in their path (API Management answers 400 ValidationError)."""
    for other in context.of_type("azure-native:apimanagement:Api"):
        same_service = arm.parent_of(other["id"]).lower() == arm.parent_of(context.id).lower()
        if same_service and other["inputs"].get("path") == context.inputs.get("path"):
            text = "Cannot create API with the same Path, Name and ApiType as an existing API."
            raise ArmError(400, "ValidationError", text)


def _scope_is_there(context: Context) -> None:
    """A subscription is for a product or an API of its own service, or for all of them."""
    scope = str(context.inputs.get("scope", ""))
    service = arm.parent_of(context.id).lower()
    short = scope.lower().startswith(("/products", "/apis"))
    target = f"{arm.parent_of(context.id)}{scope}" if short else scope
    if short and arm.name_of(target).lower() in {"products", "apis"}:
        return
    if not target.lower().startswith(service) or context.find(target) is None:
        raise ArmError(
            400, "ValidationError", f"Subscription scope should be one of existing scopes; '{scope}' is not."
        )


def _api_is_linked(context: Context) -> None:
    """What a product links must be there."""
    service = context.id.partition("/products/")[0]
    if context.find(f"{service}/apis/{context.name}") is None:
        raise ArmError(404, "ResourceNotFound", f"Api not found: {context.name}")


def _service(context: Context) -> Properties:
    host = f"{context.name.lower()}.azure-api.net"
    identity = dict(context.inputs.get("identity") or {})
    if "SystemAssigned" in str(identity.get("type", "")):
        identity |= {"principalId": context.guid("principal"), "tenantId": context.tenant}
    return {
        "gatewayUrl": f"https://{host}",
        "managementApiUrl": f"https://{context.name.lower()}.management.azure-api.net",
        "targetProvisioningState": "",
        "createdAtUtc": context.created,
        **({"identity": identity} if identity else {}),
    }


TYPES = (
    ResourceType(
        pulumi_type=_SERVICE_TYPE,
        path=_SERVICE,
        names={
            "serviceName": NameRule(
                pattern=r"[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
                text="1 to 50 letters, digits or '-', starting with a letter and ending with a letter or digit",
            )
        },
        replace_on=("location",),
        checks=(
            _service_is_whole,
            _units_fit,
            _regions_need_premium,
        ),
        rules=(_name_is_free,),
        outputs=_service,
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:Api",
        path=_API,
        names={"apiId": _id(256)},
        auto_location=False,
        defaults={"apiRevision": "1", "isCurrent": True},
        rules=(_path_is_free,),
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:ApiPolicy",
        path=_API + "/policies/{policyId}",
        names={"policyId": NameRule(pattern="policy", text="'policy'", source=_SPEC)},
        auto_location=False,
        checks=(_policy_is_xml,),
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:ApiOperation",
        path=_API + "/operations/{operationId}",
        names={"operationId": _id(80)},
        auto_location=False,
        checks=(matches("urlTemplate", r".{1,1000}", "1 to 1,000 characters", _SPEC),),
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:Product",
        path=_PRODUCT,
        names={"productId": _id(256)},
        auto_location=False,
        checks=(matches("displayName", r".{1,300}", "1 to 300 characters", _SPEC),),
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:ProductPolicy",
        path=_PRODUCT + "/policies/{policyId}",
        names={"policyId": NameRule(pattern="policy", text="'policy'", source=_SPEC)},
        auto_location=False,
        checks=(_policy_is_xml,),
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:ProductApi",
        path=_PRODUCT + "/apis/{apiId}",
        auto_location=False,
        rules=(_api_is_linked,),
    ),
    ResourceType(
        pulumi_type="azure-native:apimanagement:Subscription",
        path=_SERVICE + "/subscriptions/{sid}",
        names={"sid": _id(256)},
        auto_location=False,
        rules=(_scope_is_there,),
    ),
)

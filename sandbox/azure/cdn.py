"""Microsoft.Cdn: Azure Front Door profiles, endpoints, origin groups, origins, routes, domains, security policies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sandbox import arm
from sandbox.azure.checks import at_least, get, in_range, matches, only_location, unique, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, reveal

_PROFILE = RESOURCE_GROUP + "/providers/Microsoft.Cdn/profiles/{profileName}"
_ENDPOINT = _PROFILE + "/afdEndpoints/{endpointName}"
_GROUP = _PROFILE + "/originGroups/{originGroupName}"
_SPEC = "cdn API specification 2025-06-01"


_BALANCING = "Azure docs: front-door-routing-methods, origin group settings"
_ROUTE_DOCS = "Azure docs: front-door-route-matching"
_PATTERN, _PATTERN_TEXT = r"/[^*]*\*?", "a path that starts with '/' and has '*' at its end only"


def _hyphenated(longest: int) -> NameRule:
    return NameRule(
        pattern=rf"[A-Za-z0-9]([A-Za-z0-9-]{{0,{longest - 2}}}[A-Za-z0-9])?",
        text=f"1 to {longest} letters, digits or '-', starting and ending with a letter or digit",
        source=_SPEC,
    )


def _profile(context: Context) -> Properties:
    return {
        "frontDoorId": context.guid("frontdoor"),
        "resourceState": "Active",
        "kind": "frontdoor",
        "extendedProperties": {},
        "location": "Global",
    }


def _endpoint(context: Context) -> Properties:
    # The hash keeps the host name unique over all tenants (Azure docs: front-door/endpoint).
    label = context.token("endpoint", 16)
    return {
        "hostName": f"{context.name.lower()}-{label}.z01.azurefd.net",
        "deploymentStatus": "NotStarted",
        "location": "Global",
    }


def _deployed(_: Context) -> Properties:
    return {"deploymentStatus": "NotStarted"}


def _origin(context: Context) -> Properties:
    link = context.inputs.get("sharedPrivateLinkResource")
    if not link:
        return _deployed(context)
    # Who owns the Private Link service approves each connection; nobody does so here (Azure docs: front-door
    # private-link).
    return {**_deployed(context), "sharedPrivateLinkResource": {"status": "Pending", **link}}


def _route(context: Context) -> Properties:
    return {"deploymentStatus": "NotStarted", "endpointName": context.inputs["endpointName"]}


_NAME = r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
_HOST = _NAME + r"|(\d{1,3}\.){3}\d{1,3}"


def _standard_tier(inputs: Properties) -> Iterable[Failure]:
    """Only Front Door's own tiers have endpoints, origin groups and routes (Azure docs: front-door-overview)."""
    sku = get(inputs, "sku.name")
    if sku is None:
        yield Failure("sku.name", "missing required property 'sku.name'")
    if isinstance(sku, str) and not sku.endswith("_AzureFrontDoor"):
        yield Failure(
            "sku.name", f"'{sku}' is a classic CDN tier: Azure Front Door has Standard_ and Premium_AzureFrontDoor"
        )


def _probe_and_samples(inputs: Properties) -> Iterable[Failure]:
    """Load balancing settings are required in effect, and ask for no more good samples than samples."""
    settings = reveal(inputs.get("loadBalancingSettings"))
    if settings is None:
        yield Failure("loadBalancingSettings", "missing required property 'loadBalancingSettings'")
    size, good = (get(inputs, f"loadBalancingSettings.{name}") for name in ("sampleSize", "successfulSamplesRequired"))
    if isinstance(size, int) and isinstance(good, int) and good > size:
        where = "loadBalancingSettings.successfulSamplesRequired"
        yield Failure(where, f"'{where}' ({good}) must not be above 'sampleSize' ({size})")


def _origin_has_a_host(inputs: Properties) -> Iterable[Failure]:
    if inputs.get("hostName") is None:
        yield Failure("hostName", "missing required property 'hostName'")


def _redirect_needs_both(inputs: Properties) -> Iterable[Failure]:
    """A redirect to HTTPS needs a route that takes both (Azure docs: front-door-how-to-redirect-https)."""
    protocols = reveal(inputs.get("supportedProtocols"))
    known = isinstance(protocols, list) and UNKNOWN not in protocols
    if reveal(inputs.get("httpsRedirect")) == "Enabled" and known and set(protocols) != {"Http", "Https"}:
        yield Failure("supportedProtocols", "httpsRedirect needs supportedProtocols 'Http' and 'Https'")


def _route_has_a_domain(inputs: Properties) -> Iterable[Failure]:
    if get(inputs, "originGroup.id") is None:
        yield Failure("originGroup.id", "missing required property 'originGroup.id'")
    if reveal(inputs.get("linkToDefaultDomain")) in {None, "Disabled"} and not inputs.get("customDomains"):
        yield Failure("linkToDefaultDomain", "a route needs a custom domain, or linkToDefaultDomain 'Enabled'")


def _private_link_is_whole(inputs: Properties) -> Iterable[Failure]:
    """What an origin by Private Link needs (Azure docs: front-door private-link, and the SDK's own remarks)."""
    link = reveal(inputs.get("sharedPrivateLinkResource"))
    if not isinstance(link, dict):
        return
    for path in ("privateLink.id", "privateLinkLocation", "requestMessage"):
        if get(link, path) is None:
            where = f"sharedPrivateLinkResource.{path}"
            yield Failure(where, f"missing required property '{where}'")
    if reveal(inputs.get("enforceCertificateNameCheck")) is False:
        text = "must be true for an origin by Private Link (Azure docs: front-door private-link)"
        yield Failure("enforceCertificateNameCheck", f"'enforceCertificateNameCheck' {text}")
    target = get(link, "privateLink.id")
    if isinstance(target, str) and "/privatelinkservices/" in target.lower() and get(link, "groupId") is not None:
        text = "must not be given for a Private Link service (Azure docs: front-door private-link)"
        yield Failure("sharedPrivateLinkResource.groupId", f"'sharedPrivateLinkResource.groupId' {text}")


def _private_link_needs_premium(context: Context) -> None:
    """Private Link origins are Premium's (Azure docs: front-door private-link)."""
    profile = context.find(context.id.partition("/originGroups/")[0]) or {}
    sku = get(profile, "sku.name")
    if context.inputs.get("sharedPrivateLinkResource") is not None and sku != "Premium_AzureFrontDoor":
        text = f"Private Link is not supported for the profile's tier '{sku}': it needs Premium_AzureFrontDoor."
        raise ArmError(400, "BadRequest", text)


def _origins_are_of_one_kind(context: Context) -> None:
    """A group has public origins or private ones (Azure docs: front-door private-link, limitations)."""
    mine = context.inputs.get("sharedPrivateLinkResource") is not None
    for other in context.below(f"{arm.parent_of(context.id)}/origins/"):
        if other["name"].lower() != context.name.lower() and mine != bool(other.get("sharedPrivateLinkResource")):
            text = (
                f"Origin '{context.name}' and origin '{other['name']}' of the same origin group must both have Private "
                "Link enabled or both have it disabled."
            )
            raise ArmError(400, "BadRequest", text)


_MOST_ORIGINS = 50


def _group_has_room(context: Context) -> None:
    """A group has 50 origins at most (Azure docs: front-door-limits)."""
    if context.previous is None and len(context.below(f"{arm.parent_of(context.id)}/origins/")) >= _MOST_ORIGINS:
        text = f"The origin group has reached the limit of {_MOST_ORIGINS} origins."
        raise ArmError(400, "BadRequest", text)


def _origin_exists(context: Context) -> None:
    """A route leads to a group with an enabled origin (terraform-azurerm#27652, aztfmod/terraform-azurerm-caf#2006)."""
    group = get(context.inputs, "originGroup.id")
    if isinstance(group, str) and not any(_enabled(origin) for origin in context.below(group + "/origins/")):
        text = (
            "Please make sure that originGroup is created successfully and at least one enabled origin is created "
            "under the origin group."
        )
        raise ArmError(400, "BadRequest", text)


def _route_is_new(context: Context) -> None:
    """Two routes of an endpoint differ in a path, protocol or domain (Azure docs: front-door-route-matching)."""
    for other in context.of_type(_ROUTE):
        if arm.parent_of(other["id"]).lower() != arm.parent_of(context.id).lower():
            continue
        theirs, mine = other["inputs"], context.inputs
        same_paths = set(theirs.get("patternsToMatch") or ["/*"]) & set(mine.get("patternsToMatch") or ["/*"])
        same_protocols = set(theirs.get("supportedProtocols") or _BOTH) & set(mine.get("supportedProtocols") or _BOTH)
        default = "Enabled" == theirs.get("linkToDefaultDomain") == mine.get("linkToDefaultDomain")
        if same_paths and same_protocols and default:
            text = (
                "Routes with the same domain, path and protocol cannot be on one endpoint: "
                f"'{context.name}' and '{arm.name_of(other['id'])}' share {min(same_paths)}."
            )
            raise ArmError(409, "Conflict", text)


_BOTH = ("Http", "Https")


def _enabled(origin: Properties) -> bool:
    return bool(origin.get("enabledState", "Enabled") == "Enabled")


def _is_last_origin(context: Context) -> bool:
    group = arm.parent_of(context.id)
    others = [origin for origin in context.below(f"{group}/origins/") if origin["name"].lower() != context.name.lower()]
    return _routes(context, group) and not any(_enabled(origin) for origin in others)


def _routes(context: Context, group: str) -> bool:
    return any(
        arm.type_of(user).lower() == "microsoft.cdn/profiles/afdendpoints/routes" for user in context.users(group)
    )


def _last_origin_stays(context: Context) -> None:
    """The last enabled origin of a group that a route uses stays (terraform-azurerm#15140)."""
    if _enabled(context.find(context.id) or {}) and _is_last_origin(context):
        raise _last_origin(context)


def _last_origin_stays_enabled(context: Context) -> None:
    if context.previous is not None and not _enabled(context.inputs) and _is_last_origin(context):
        raise _last_origin(context)


def _last_origin(context: Context) -> ArmError:
    text = (
        f"Origin '{context.name}' is the last enabled origin of the origin group, which is associated with a route: at "
        "least one enabled origin is required."
    )
    return ArmError(400, "BadRequest", text)


def _group_is_unused(context: Context) -> None:
    """An origin group that a route uses stays."""
    if _routes(context, context.id):
        text = f"Origin group '{context.name}' is associated with a route and cannot be deleted."
        raise ArmError(400, "BadRequest", text)


_ROUTE = "azure-native:cdn:Route"
_DOMAIN = "azure-native:cdn:AFDCustomDomain"
_SECURITY_POLICY = "azure-native:cdn:SecurityPolicy"


def _domain(context: Context) -> Properties:
    return {
        "domainValidationState": "Pending",
        "validationProperties": {
            "validationToken": context.token("validation", 32),
            # A week to prove it, then the domain asks for a new token (Azure docs: front-door domain).
            "expirationDate": (dt.datetime.fromisoformat(context.created) + dt.timedelta(days=7)).isoformat(),
        },
        "deploymentStatus": "NotStarted",
    }


def _certificate_fits(inputs: Properties) -> Iterable[Failure]:
    """A certificate of one's own is a secret; Azure makes none for a wildcard (Azure docs: front-door domain)."""
    kind, host = get(inputs, "tlsSettings.certificateType"), reveal(inputs.get("hostName"))
    if kind == "CustomerCertificate" and get(inputs, "tlsSettings.secret.id") is None:
        where = "tlsSettings.secret.id"
        yield Failure(where, f"missing required property '{where}'")
    if kind == "ManagedCertificate" and isinstance(host, str) and host.startswith("*."):
        yield Failure("tlsSettings.certificateType", f"a managed certificate can't be for the wildcard '{host}'")


def _host_is_free(context: Context) -> None:
    """A host name is in one profile (Azure docs: front-door domain)."""
    for other in context.of_type(_DOMAIN):
        if str(other["inputs"].get("hostName", "")).lower() == str(context.inputs.get("hostName", "")).lower():
            text = f"The host name '{context.inputs['hostName']}' is already in use by another resource."
            raise ArmError(409, "Conflict", text)


def _domain_is_unused(context: Context) -> None:
    """A domain that a route or a security policy uses stays."""
    for user in context.users(context.id):
        text = f"Custom domain '{context.name}' is associated with '{arm.name_of(user)}' and cannot be deleted."
        raise ArmError(400, "BadRequest", text)


def _has_a_firewall(inputs: Properties) -> Iterable[Failure]:
    parameters = reveal(inputs.get("parameters"))
    if not isinstance(parameters, dict):
        yield Failure("parameters", "missing required property 'parameters'")
        return
    for path in ("wafPolicy.id", "associations"):
        if get(parameters, path) is None:
            yield Failure(f"parameters.{path}", f"missing required property 'parameters.{path}'")


def _guarded(inputs: Properties) -> set[str]:
    return {str(value).lower() for _, value in values(inputs, "parameters.associations[].domains[].id")}


def _firewall_fits(context: Context) -> None:
    """Profile and firewall policy have one tier, and a domain one policy (Azure docs: waf-front-door-create-portal)."""
    profile = context.find(arm.parent_of(context.id)) or {}
    policy = context.find(str(get(context.inputs, "parameters.wafPolicy.id"))) or {}
    tier, theirs = get(profile, "sku.name"), get(policy, "sku.name")
    if tier != theirs:
        text = f"The web application firewall policy's tier '{theirs}' must be the profile's, '{tier}'."
        raise ArmError(400, "BadRequest", text)
    mine = _guarded(context.inputs)
    for domain in mine:
        if not domain.startswith(arm.parent_of(context.id).lower() + "/"):
            raise ArmError(400, "BadRequest", f"The domain '{domain}' is not of this profile.")
    for other in context.of_type(_SECURITY_POLICY):
        if shared := mine & _guarded(other["inputs"]):
            text = f"The domain '{min(shared)}' is already in security policy '{arm.name_of(other['id'])}'."
            raise ArmError(409, "Conflict", text)


TYPES = (
    ResourceType(
        pulumi_type="azure-native:cdn:Profile",
        path=_PROFILE,
        names={"profileName": _hyphenated(260)},
        replace_on=("location", "sku"),
        defaults={"originResponseTimeoutSeconds": 30},
        checks=(
            only_location("global"),
            _standard_tier,
            in_range("originResponseTimeoutSeconds", 16, 240, "Azure docs: front-door troubleshoot-issues"),
        ),
        outputs=_profile,
    ),
    ResourceType(
        pulumi_type="azure-native:cdn:AFDEndpoint",
        path=_ENDPOINT,
        names={"endpointName": _hyphenated(50)},
        replace_on=("location",),
        # Chosen at creation: an update takes enabledState only (cdn API specification, AFDEndpointUpdateParameters).
        immutable=("autoGeneratedDomainNameLabelScope",),
        defaults={"enabledState": "Enabled", "autoGeneratedDomainNameLabelScope": "TenantReuse"},
        checks=(only_location("global"),),
        outputs=_endpoint,
    ),
    ResourceType(
        pulumi_type="azure-native:cdn:AFDOriginGroup",
        path=_GROUP,
        names={"originGroupName": _hyphenated(90)},
        defaults={"sessionAffinityState": "Disabled"},
        checks=(
            _probe_and_samples,
            in_range("healthProbeSettings.probeIntervalInSeconds", 1, 255, _SPEC),
            in_range("loadBalancingSettings.sampleSize", 1, 255, _BALANCING),
            in_range("loadBalancingSettings.successfulSamplesRequired", 1, 255, _BALANCING),
            in_range("loadBalancingSettings.additionalLatencyInMilliseconds", 0, 1000, _BALANCING),
            in_range("trafficRestorationTimeToHealedOrNewEndpointsInMinutes", 0, 50, _SPEC),
            matches(
                "healthProbeSettings.probePath", r"/.*", "a path that starts with '/'", "Azure docs: health-probes"
            ),
        ),
        delete_rules=(_group_is_unused,),
        outputs=_deployed,
    ),
    ResourceType(
        pulumi_type="azure-native:cdn:AFDOrigin",
        path=_GROUP + "/origins/{originName}",
        names={"originName": _hyphenated(90)},
        defaults={
            "enabledState": "Enabled",
            "httpPort": 80,
            "httpsPort": 443,
            "priority": 1,
            "weight": 1000,
            "enforceCertificateNameCheck": True,
        },
        checks=(
            _origin_has_a_host,
            _private_link_is_whole,
            matches("hostName", _HOST, "a host name or an IPv4 address", "Azure docs: front-door origin"),
            matches("originHostHeader", _HOST, "a host name or an IPv4 address", "Azure docs: front-door origin"),
            in_range("priority", 1, 5, _SPEC),
            in_range("weight", 1, 1000, _SPEC),
            in_range("httpPort", 1, 65535, _SPEC),
            in_range("httpsPort", 1, 65535, _SPEC),
        ),
        rules=(
            _private_link_needs_premium,
            _origins_are_of_one_kind,
            _group_has_room,
            _last_origin_stays_enabled,
        ),
        delete_rules=(_last_origin_stays,),
        outputs=_origin,
    ),
    ResourceType(
        pulumi_type=_ROUTE,
        path=_ENDPOINT + "/routes/{routeName}",
        names={"routeName": _hyphenated(90)},
        defaults={
            "enabledState": "Enabled",
            "forwardingProtocol": "MatchRequest",
            "httpsRedirect": "Disabled",
            "linkToDefaultDomain": "Disabled",
        },
        checks=(
            _route_has_a_domain,
            _redirect_needs_both,
            at_least("patternsToMatch", 1, _ROUTE_DOCS),
            at_least("supportedProtocols", 1, _ROUTE_DOCS),
            unique("patternsToMatch[]", _ROUTE_DOCS),
            unique("supportedProtocols[]", _ROUTE_DOCS),
            matches("patternsToMatch[]", _PATTERN, _PATTERN_TEXT, _ROUTE_DOCS),
            matches("originPath", r"/.*", "a path that starts with '/'", _ROUTE_DOCS),
        ),
        rules=(_origin_exists, _route_is_new),
        outputs=_route,
    ),
    ResourceType(
        pulumi_type=_DOMAIN,
        path=_PROFILE + "/customDomains/{customDomainName}",
        names={"customDomainName": _hyphenated(260)},
        # An update takes TLS settings and the DNS zone (cdn API specification, AFDDomainUpdateParameters).
        immutable=("hostName",),
        checks=(
            matches("hostName", r"(\*\.)?" + f"({_NAME})", "a host name", "Azure docs: front-door domain"),
            _certificate_fits,
        ),
        rules=(_host_is_free,),
        delete_rules=(_domain_is_unused,),
        outputs=_domain,
    ),
    ResourceType(
        pulumi_type=_SECURITY_POLICY,
        path=_PROFILE + "/securityPolicies/{securityPolicyName}",
        names={"securityPolicyName": _hyphenated(260)},
        checks=(
            _has_a_firewall,
            matches("parameters.type", "WebApplicationFirewall", "WebApplicationFirewall", _SPEC),
            at_least("parameters.associations", 1, _SPEC),
            matches("parameters.associations[].patternsToMatch[]", _PATTERN, _PATTERN_TEXT, _ROUTE_DOCS),
        ),
        rules=(_firewall_fits,),
        outputs=_deployed,
    ),
)

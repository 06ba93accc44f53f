"""Microsoft.Network: web application firewall policies of Azure Front Door."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from sandbox import arm
from sandbox.azure.checks import at_most, get, in_range, matches, only_location, unique, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties

_SPEC = "frontdoor API specification 2025-11-01"
_LIMITS = "Azure docs: front-door-limits"
_RATE_LIMIT = "Azure docs: waf-front-door-rate-limit"
_BLOCK_CODES = {200, 403, 405, 406, 429, *range(990, 1000)}
_RULE_SETS = {
    "DefaultRuleSet": {"preview-0.1", "1.0"},
    "Microsoft_DefaultRuleSet": {"1.1", "2.0", "2.1", "2.2"},
    "Microsoft_BotManagerRuleSet": {"1.0", "1.1"},
    "BotProtection": {"preview-0.1"},
}


def _tier_has_rules(inputs: Properties) -> Iterable[Failure]:
    """Managed rules are not for the Standard tier (Azure docs: web-application-firewall, managed rules)."""
    tier = get(inputs, "sku.name")
    if tier is None:
        yield Failure("sku.name", "missing required property 'sku.name'")
    if tier == "Standard_AzureFrontDoor" and any(values(inputs, "managedRules.managedRuleSets[]")):
        yield Failure("managedRules", "managed rule sets need the tier Premium_AzureFrontDoor")


def _rule_sets_exist(inputs: Properties) -> Iterable[Failure]:
    for where, rule_set in values(inputs, "managedRules.managedRuleSets[]"):
        kind, version = get(rule_set, "ruleSetType"), get(rule_set, "ruleSetVersion")
        if isinstance(kind, str) and kind not in _RULE_SETS:
            yield Failure(f"{where}.ruleSetType", f"there is no rule set '{kind}' (Azure docs: waf-front-door-drs)")
        elif isinstance(kind, str) and isinstance(version, str) and version not in _RULE_SETS[kind]:
            text = f"'{kind}' has no version '{version}' (Azure docs: waf-front-door-drs)"
            yield Failure(f"{where}.ruleSetVersion", text)


def _default_rules_have_an_action(inputs: Properties) -> Iterable[Failure]:
    """Anomaly scoring came with 2.0, and needs to know what to do (Azure docs: waf-front-door-drs)."""
    for where, rule_set in values(inputs, "managedRules.managedRuleSets[]"):
        scored = get(rule_set, "ruleSetType") == "Microsoft_DefaultRuleSet" and get(rule_set, "ruleSetVersion") != "1.1"
        if scored and get(rule_set, "ruleSetAction") is None:
            yield Failure(f"{where}.ruleSetAction", f"missing required property '{where}.ruleSetAction'")


def _rate_limits_are_whole(inputs: Properties) -> Iterable[Failure]:
    """A rate limit has a threshold, a period and a condition (Azure docs: waf-front-door-rate-limit)."""
    for where, rule in values(inputs, "customRules.rules[]"):
        if get(rule, "ruleType") != "RateLimitRule":
            continue
        for name in ("rateLimitThreshold", "rateLimitDurationInMinutes"):
            if get(rule, name) is None:
                yield Failure(f"{where}.{name}", f"missing required property '{where}.{name}'")
        if get(rule, "matchConditions") == []:
            yield Failure(f"{where}.matchConditions", "a rate limit rule needs a match condition")


def _duration_is_known(inputs: Properties) -> Iterable[Failure]:
    for where, minutes in values(inputs, "customRules.rules[].rateLimitDurationInMinutes"):
        if minutes not in (1, 5):
            yield Failure(where, f"'{where}' must be 1 or 5 ({_RATE_LIMIT}), but is {minutes}")


def _match_values_fit(inputs: Properties) -> Iterable[Failure]:
    """IPMatch takes addresses and networks, GeoMatch countries (Azure docs: waf-front-door-custom-rules)."""
    for where, condition in values(inputs, "customRules.rules[].matchConditions[]"):
        operator = get(condition, "operator")
        for place, value in values(condition, "matchValue[]"):
            if not isinstance(value, str):
                continue
            if operator == "IPMatch" and not _is_network(value):
                yield Failure(f"{where}.{place}", f"'{value}' is no IP address and no network in CIDR form")
            if operator == "GeoMatch" and not re.fullmatch(r"[A-Z]{2}", value):
                yield Failure(f"{where}.{place}", f"'{value}' is no country code of two capital letters")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _code_is_known(inputs: Properties) -> Iterable[Failure]:
    code = get(inputs, "policySettings.customBlockResponseStatusCode")
    if isinstance(code, int | float) and code not in _BLOCK_CODES:
        where = "policySettings.customBlockResponseStatusCode"
        yield Failure(where, f"'{where}' must be 200, 403, 405, 406, 429 or 990 to 999 ({_SPEC}), but is {code:g}")


def _policy(_: Context) -> Properties:
    return {"resourceState": "Enabled", "frontendEndpointLinks": [], "routingRuleLinks": [], "securityPolicyLinks": []}


def _policy_is_unused(context: Context) -> None:
    """A policy that a security policy uses stays."""
    for user in context.users(context.id):
        text = f"The policy '{context.name}' is in use by '{arm.name_of(user)}' and cannot be deleted."
        raise ArmError(409, "Conflict", text)


TYPES = (
    ResourceType(
        pulumi_type="azure-native:frontdoor:Policy",
        path=RESOURCE_GROUP + "/providers/Microsoft.Network/FrontDoorWebApplicationFirewallPolicies/{policyName}",
        names={
            "policyName": NameRule(
                pattern=r"[A-Za-z][A-Za-z0-9]{0,127}",
                text="1 to 128 letters or digits, a letter first",
                source=_SPEC,
            )
        },
        # terraform-azurerm, azurerm_cdn_frontdoor_firewall_policy: another tier is another policy.
        immutable=("sku",),
        checks=(
            only_location("global"),
            _tier_has_rules,
            _rule_sets_exist,
            _default_rules_have_an_action,
            _rate_limits_are_whole,
            _duration_is_known,
            _match_values_fit,
            _code_is_known,
            at_most("customRules.rules[].matchConditions", 10, _LIMITS),
            unique("customRules.rules[].priority", _SPEC),
            unique("customRules.rules[].name", _SPEC),
            matches(
                "customRules.rules[].name",
                r"[A-Za-z][A-Za-z0-9]{0,127}",
                "1 to 128 letters or digits, a letter first",
                _SPEC,
            ),
            in_range("customRules.rules[].rateLimitThreshold", 0, 2_147_483_647, _SPEC),
        ),
        delete_rules=(_policy_is_unused,),
        outputs=_policy,
    ),
)

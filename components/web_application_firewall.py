"""The web application firewall in front of Front Door's domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cdn, frontdoor

from components.context import EnvironmentContext
from components.options import child
from gpufleet.spec.front_door import FrontDoorSku
from gpufleet.spec.front_door import WebApplicationFirewall as Spec

# What holds a prompt in the OpenAI API. Text about programs looks like an attack to rules for web forms: code in a
# question is no SQL injection, and a model server runs none of it.
_PROMPT_FIELDS = ("messages", "prompt", "input", "instructions", "tools")
# Azure docs: waf-front-door-drs, version 2.1 and bot rules 1.1.
_DEFAULT_RULES = ("Microsoft_DefaultRuleSet", "2.1")
_BOT_RULES = ("Microsoft_BotManagerRuleSet", "1.1")


@dataclass(frozen=True, kw_only=True)
class WebApplicationFirewallArgs:
    """Arguments of WebApplicationFirewall."""

    environment: EnvironmentContext
    spec: Spec
    sku: FrontDoorSku
    """The profile's tier: the policy must have the same."""
    resource_group_name: pulumi.Input[str]
    profile: cdn.Profile
    domain_ids: Sequence[pulumi.Input[str]]
    """ARM ids of the endpoint and the custom domains that it stands before."""


class WebApplicationFirewall(pulumi.ComponentResource):
    """A policy with a rate limit for each client address, a country filter, and on Premium Microsoft's rules.

    The rate limit counts at each edge server for itself, so a client that reaches several gets somewhat more
    (waf-front-door-rate-limit). Rules see the first 128 KB of a body; what is longer passes uninspected.
    """

    def __init__(self, name: str, args: WebApplicationFirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:WebApplicationFirewall", name, {}, opts)
        managed = args.spec.managed_rules is not False and args.sku is FrontDoorSku.PREMIUM
        policy = frontdoor.Policy(
            f"{name}-policy",
            policy_name=args.environment.names.firewall_policy(),
            resource_group_name=args.resource_group_name,
            location="Global",
            sku=frontdoor.SkuArgs(name=frontdoor.SkuName(args.sku.value)),
            policy_settings=frontdoor.PolicySettingsArgs(
                enabled_state=frontdoor.PolicyEnabledState.ENABLED,
                mode=frontdoor.PolicyMode(args.spec.mode.value),
                request_body_check=frontdoor.PolicyRequestBodyCheck.ENABLED,
                # One code for all rules: 429 makes clients wait and come back, which is right for the rate limit alone.
                custom_block_response_status_code=403 if managed or args.spec.allowed_countries else 429,
            ),
            custom_rules=frontdoor.CustomRuleListArgs(rules=list(_custom_rules(args.spec))),
            managed_rules=(
                frontdoor.ManagedRuleSetListArgs(managed_rule_sets=_managed_rule_sets()) if managed else None
            ),
            tags=args.environment.tags,
            opts=child(self, args.environment.environment_class),
        )
        cdn.SecurityPolicy(
            f"{name}-security-policy",
            security_policy_name="firewall",
            profile_name=args.profile.name,
            resource_group_name=args.resource_group_name,
            parameters=cdn.SecurityPolicyWebApplicationFirewallParametersArgs(
                type="WebApplicationFirewall",
                waf_policy=cdn.ResourceReferenceArgs(id=policy.id),
                associations=[
                    cdn.SecurityPolicyWebApplicationFirewallAssociationArgs(
                        domains=[cdn.ActivatedResourceReferenceArgs(id=domain) for domain in args.domain_ids],
                        patterns_to_match=["/*"],
                    )
                ],
            ),
            # Not left to the profile's deletion: until it is gone, the policy is in use and can't go.
            opts=child(self, args.environment.environment_class),
        )
        self.register_outputs({})


def _custom_rules(spec: Spec) -> Iterator[frontdoor.CustomRuleArgs]:
    if spec.allowed_countries is not None:
        yield frontdoor.CustomRuleArgs(
            name="AllowedCountries",
            priority=10,
            rule_type=frontdoor.RuleType.MATCH_RULE,
            action=frontdoor.ActionType.BLOCK,
            match_conditions=[
                frontdoor.MatchConditionArgs(
                    match_variable=frontdoor.MatchVariable.SOCKET_ADDR,
                    operator=frontdoor.Operator.GEO_MATCH,
                    negate_condition=True,
                    match_value=list(spec.allowed_countries),
                )
            ],
        )
    yield frontdoor.CustomRuleArgs(
        name="RequestsPerMinute",
        priority=100,
        rule_type=frontdoor.RuleType.RATE_LIMIT_RULE,
        action=frontdoor.ActionType.BLOCK,
        rate_limit_duration_in_minutes=1,
        rate_limit_threshold=spec.requests_per_minute,
        group_by=[frontdoor.GroupByVariableArgs(variable_name=frontdoor.VariableName.SOCKET_ADDR)],
        # A rate limit needs a condition (waf-front-door-rate-limit): every address.
        match_conditions=[
            frontdoor.MatchConditionArgs(
                match_variable=frontdoor.MatchVariable.SOCKET_ADDR,
                operator=frontdoor.Operator.IP_MATCH,
                match_value=["0.0.0.0/0", "::/0"],
            )
        ],
    )


def _managed_rule_sets() -> list[frontdoor.ManagedRuleSetArgs]:
    default, bots = _DEFAULT_RULES, _BOT_RULES
    return [
        frontdoor.ManagedRuleSetArgs(
            rule_set_type=default[0],
            rule_set_version=default[1],
            rule_set_action=frontdoor.ManagedRuleSetActionType.BLOCK,
            exclusions=[
                frontdoor.ManagedRuleExclusionArgs(
                    match_variable=frontdoor.ManagedRuleExclusionMatchVariable.REQUEST_BODY_JSON_ARG_NAMES,
                    selector_match_operator=frontdoor.ManagedRuleExclusionSelectorMatchOperator.STARTS_WITH,
                    selector=field,
                )
                for field in _PROMPT_FIELDS
            ],
        ),
        frontdoor.ManagedRuleSetArgs(rule_set_type=bots[0], rule_set_version=bots[1]),
    ]

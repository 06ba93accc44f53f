"""Rule groups of Azure's managed Prometheus in one region, and who gets their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import alertsmanagement

from components.context import ScopeContext
from components.gpu_cluster import GpuCluster
from components.mail_group import mail_group
from components.options import child
from components.serving_rules import PrometheusRule, RuleGroup, alert_annotations


@dataclass(frozen=True, kw_only=True)
class PrometheusRulesArgs:
    """Arguments of PrometheusRules."""

    scope: ScopeContext
    cluster: GpuCluster
    workspace_id: pulumi.Input[str]
    groups: Sequence[RuleGroup]


class PrometheusRules(pulumi.ComponentResource):
    """Each group as a resource of its own, so that a server's rules come and go with it.

    The alerts are mailed to the environment's contacts, by an action group of the region: one that stood elsewhere
    would tie the region's alerts to another.
    """

    def __init__(self, name: str, args: PrometheusRulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:observability:PrometheusRules", name, {}, opts)
        scope = args.scope
        own = child(self, scope.environment.environment_class)
        receivers = mail_group(
            f"{name}-ag",
            action_group_name=scope.name_of("ag"),
            resource_group_name=scope.resource_group_name,
            contacts=scope.environment.contacts,
            tags=scope.environment.tags,
            opts=own,
        )
        for group in args.groups:
            alertsmanagement.PrometheusRuleGroup(
                f"{name}-{group.name}",
                rule_group_name=scope.name_of("prg", group.name),
                resource_group_name=scope.resource_group_name,
                location=scope.region,
                description=group.description,
                enabled=True,
                interval=group.interval,
                # The workspace has this cluster's metrics alone; its name bounds the queries all the same.
                scopes=[args.workspace_id],
                cluster_name=args.cluster.name,
                rules=[_rule(rule, receivers.id) for rule in group.rules],
                tags=scope.environment.tags,
                opts=own,
            )
        self.register_outputs({})


def _rule(rule: PrometheusRule, receivers: pulumi.Input[str]) -> alertsmanagement.PrometheusRuleArgs:
    if rule.record is not None:
        return alertsmanagement.PrometheusRuleArgs(
            record=rule.record, expression=rule.expr, labels=dict(rule.labels) or None, enabled=True
        )
    return alertsmanagement.PrometheusRuleArgs(
        alert=rule.alert,
        expression=rule.expr,
        for_=rule.for_,
        severity=rule.severity,
        labels=dict(rule.labels) or None,
        annotations=alert_annotations(rule),
        enabled=True,
        actions=[alertsmanagement.PrometheusRuleGroupActionArgs(action_group_id=receivers)],
        # Five minutes of quiet end an alert, so that one that comes and goes is one mail.
        resolve_configuration=alertsmanagement.PrometheusRuleResolveConfigurationArgs(
            auto_resolved=True, time_to_resolve="PT5M"
        ),
    )

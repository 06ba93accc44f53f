"""The environment's Azure budget: it tells people, it stops nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import consumption, monitor

from components.context import EnvironmentContext
from components.mail_group import mail_group
from components.options import child
from gpufleet.spec import own_tags
from gpufleet.spec.budget import AlertKind, Allocation, Budget, BudgetAlert
from gpufleet.spec.pool_tags import MODEL, TEAM

_YEARS = 10
"""Azure's own default length of a budget; stated, so that preview and result agree."""


@dataclass(frozen=True, kw_only=True)
class CostBudgetArgs:
    """Arguments of CostBudget."""

    environment: EnvironmentContext
    spec: Budget
    resource_group_name: pulumi.Input[str]


class CostBudget(pulumi.ComponentResource):
    """A monthly budget over everything with the environment's tags, and an action group that its notifications go to.

    Each allocation is one more, of what also has the tag of a model or team: the nodes of its own pools.

    The scope is the subscription and not a resource group: AKS keeps its nodes, most of the cost, in resource groups of
    its own.

    Limits that shape it: a budget notifies and never blocks, and cost data lags by 8 to 24 hours
    (tutorial-acm-create-budgets): what blocks is the cost gate before a change. A budget's start can't be changed
    (jpsnover/ai-triad-research#1697), so it is written once. At most five notifications, contact groups at subscription
    scope (Microsoft.Consumption/budgets 2024-08-01).
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, args: CostBudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:cost:CostBudget", name, {}, opts)
        environment = args.environment
        group = mail_group(
            f"{name}-ag",
            action_group_name=environment.names.once("ag"),
            resource_group_name=args.resource_group_name,
            contacts=args.spec.contacts,
            tags=environment.tags,
            opts=child(self, environment.environment_class),
        )
        budget = self._budget(
            f"{name}-bud",
            args,
            group,
            budget_name=environment.names.once("bud"),
            amount=args.spec.monthly_usd,
            contacts=args.spec.contacts,
            tags={},
        )
        for allocation in args.spec.allocations:
            kind, value = _whose(allocation)
            self._budget(
                f"{name}-{kind}-{value}-bud",
                args,
                group,
                budget_name=environment.names.of("bud", kind, value),
                amount=allocation.monthly_usd,
                contacts=allocation.contacts or args.spec.contacts,
                tags={kind: value},
            )
        self.name = budget.name
        self.register_outputs({"name": self.name})

    def _budget(
        self,
        name: str,
        args: CostBudgetArgs,
        group: monitor.ActionGroup,
        *,
        budget_name: str,
        amount: float,
        contacts: list[str],
        tags: Mapping[str, str],
    ) -> consumption.Budget:
        environment, start = args.environment, args.spec.start
        return consumption.Budget(
            name,
            budget_name=budget_name,
            scope=pulumi.Output.format("/subscriptions/{0}", environment.subscription_id),
            category=consumption.CategoryType.COST,
            amount=amount,
            time_grain=consumption.TimeGrainType.MONTHLY,
            time_period=consumption.BudgetTimePeriodArgs(
                start_date=_midnight(start), end_date=_midnight(start.replace(year=start.year + _YEARS))
            ),
            filter=_filter(environment, tags),
            notifications={
                _notification_key(alert): _notification(alert, contacts, group.id) for alert in args.spec.alerts
            },
            opts=child(self, environment.environment_class, ignore_changes=["timePeriod.startDate"]),
        )


def _whose(allocation: Allocation) -> tuple[str, str]:
    """Tag and value; the specification has exactly one of the two."""
    return (TEAM, allocation.team) if allocation.team is not None else (MODEL, allocation.model or "")


def _midnight(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _filter(environment: EnvironmentContext, tags: Mapping[str, str]) -> consumption.BudgetFilterArgs:
    # Two tags, for "environment" alone is a name that other teams of the subscription use too.
    wanted = {
        own_tags.MANAGED_BY: own_tags.MANAGED_BY_VALUE,
        own_tags.ENVIRONMENT: environment.names.environment,
        **tags,
    }
    return consumption.BudgetFilterArgs(
        and_=[
            consumption.BudgetFilterPropertiesArgs(
                tags=consumption.BudgetComparisonExpressionArgs(
                    name=tag, operator=consumption.BudgetOperatorType.IN_, values=[value]
                )
            )
            for tag, value in wanted.items()
        ]
    )


def _notification_key(alert: BudgetAlert) -> str:
    return f"{alert.kind.value}-{alert.percent:g}-percent".replace(".", "-")


def _notification(
    alert: BudgetAlert, contacts: list[str], group_id: pulumi.Output[str]
) -> consumption.NotificationArgs:
    kinds = {
        AlertKind.ACTUAL: consumption.ThresholdType.ACTUAL,
        AlertKind.FORECASTED: consumption.ThresholdType.FORECASTED,
    }
    return consumption.NotificationArgs(
        enabled=True,
        operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
        threshold=alert.percent,
        threshold_type=kinds[alert.kind],
        contact_emails=list(contacts),
        contact_groups=[group_id],
        locale=consumption.CultureCode.EN_US,
    )

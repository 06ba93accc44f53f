"""COST001: the budget and who hears of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.spec.own_tags import environment_tags
from gpufleet.spec.pool_tags import MODEL, TEAM
from policies.reading import Properties, UndecidedError, all_of
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Declared, Resource, View

_BUDGET = "azure-native:consumption:Budget"
_ACTION_GROUP = "azure-native:monitor:ActionGroup"
_RECEIVERS = ("contactEmails", "contactGroups", "contactRoles")
_KINDS = ("Actual", "Forecasted")
# The third one, EqualTo, fires if somebody looks at the very moment.
_OPERATORS = ("GreaterThan", "GreaterThanOrEqualTo")


class BudgetSettings(Settings):
    """What COST001 asks for."""

    max_percent: float = 100
    """Of the budget in percent: an actual and a forecast notification fire here at the latest."""


class Budget(Rule[Declared, BudgetSettings]):
    """The environment has a budget of the declared amount that tells people of actual and forecast overspending.

    An Azure budget stops nothing, and its cost data is 8 to 24 hours old, so it must warn before the month is over: one
    notification for what is spent, one for the forecast, each with a receiver. A budget that leaves a part of the
    environment out, or is of another amount, warns of something else.
    """

    id = "COST001"
    pack = Pack.COST
    severity = Severity.HIGH
    scope = Scope.STACK
    waivable = False
    fix = "Let the environment's own component make the budget; list contacts and both kinds of alerts under `budget`"
    source = "tutorial-acm-create-budgets, Microsoft.Consumption/budgets 2024-08-01"
    settings = BudgetSettings

    def subjects(self, view: View) -> Iterable[Declared]:
        """The environment."""
        return () if view.declared is None else (view.declared,)

    def judge(self, subject: Declared, view: View, settings: BudgetSettings) -> Iterator[Objection]:
        """Whether it has a budget, and what its budgets lack."""
        found = view.resources(_BUDGET)
        allocated = {budget.urn: _allocation(budget.properties) for budget in found}
        if all(allocated.values()):
            yield Objection(message="the environment has no Azure budget", setting=("budget",))
        yield from all_of(
            *(
                check
                for budget in found
                for check in (
                    _amount(budget.properties, subject, allocated[budget.urn]),
                    _coverage(budget, subject, view, allocated[budget.urn]),
                    _scope(budget.properties),
                    _notifications(budget, view, settings),
                )
            )
        )


def _allocation(budget: Properties) -> tuple[str, str] | None:
    """Tag and value of the model or team that a budget is for alone; None of one for the environment."""
    try:
        found = [(one.text("tags", "name"), one.texts("tags", "values")) for one in budget.below("filter").each("and")]
    except UndecidedError:
        return None  # its coverage is undecided too, and says so
    return next(((name, values[0]) for name, values in found if name in {MODEL, TEAM} and len(values) == 1), None)


def _declared_usd(subject: Declared, allocation: tuple[str, str] | None) -> float | None:
    budget = subject.environment.budget
    if allocation is None:
        return budget.monthly_usd
    found = ((TEAM if one.team else MODEL, one.team or one.model, one.monthly_usd) for one in budget.allocations)
    return next((usd for kind, name, usd in found if (kind, name) == allocation), None)


def _amount(budget: Properties, subject: Declared, allocation: tuple[str, str] | None) -> Iterator[Objection]:
    amount, declared = budget.number("amount"), _declared_usd(subject, allocation)
    if declared is None:
        message = f"no allocation is declared for the {' '.join(allocation or ())} that an Azure budget is of"
        yield Objection(message=message, setting=("budget",))
    elif amount != declared:
        yield Objection(
            message=f"the Azure budget is of {'no amount' if amount is None else f'{amount:,.2f}'} and "
            f"{declared:,.2f} USD are declared",
            setting=("budget", "monthlyUsd"),
        )
    if (grain := budget.text("timeGrain")) != "Monthly":
        message = f"the Azure budget is {grain or 'of no time grain'}, and a monthly one is declared"
        yield Objection(message=message, setting=("budget",))


def _coverage(
    budget: Resource, subject: Declared, view: View, allocation: tuple[str, str] | None
) -> Iterator[Objection]:
    if (category := budget.properties.text("category")) != "Cost":
        message = f"the Azure budget counts {category or 'nothing that is known'} and not cost"
        yield Objection(message=message, setting=("budget",))
    tags = {**environment_tags(view.name, subject.environment), **dict([allocation] if allocation else [])}
    only = budget.properties.below("filter")
    for condition in (*only.each("and"), *([only] if only.has("tags") or only.has("dimensions") else [])):
        tag = condition.text("tags", "name")
        if tag is None or tags.get(tag) not in condition.texts("tags", "values"):
            what = f"the tag {tag}" if tag else "something else than tags"
            message = f"the Azure budget is filtered by {what}, which not all of the environment has"
            yield Objection(message=message, setting=("budget",))


def _scope(budget: Properties) -> Iterator[Objection]:
    try:
        scope = budget.text("scope") or ""
    except UndecidedError:
        return  # the subscription's id is for the engine to know
    if "/resourcegroups/" in scope.casefold():
        message = "the Azure budget counts one resource group, and AKS keeps its nodes in groups of its own"
        yield Objection(message=message, setting=("budget",))


def _notifications(budget: Resource, view: View, settings: BudgetSettings) -> Iterator[Objection]:
    notifications = budget.properties.below("notifications")
    sent: set[str] = set()
    for key in sorted(notifications.values):
        notification = notifications.below(key)
        if notification.flag("enabled") is not True:
            continue
        if not any(notification.items(kind) for kind in _RECEIVERS):
            message = f"the budget's notification {key} has no receiver"
            yield Objection(message=message, setting=("budget", "contacts"))
        elif (notification.number("threshold") or 0) <= settings.max_percent and notification.text(
            "operator"
        ) in _OPERATORS:
            sent.add(notification.text("thresholdType") or "Actual")
    for kind in _KINDS:
        if kind not in sent:
            yield Objection(
                message=f"no {kind.casefold()} notification fires at {settings.max_percent:g} % of the budget or below",
                setting=("budget", "alerts"),
            )
    for group in view.graph.sources(budget.node, "notifications"):
        if view.resource(group).type == _ACTION_GROUP:
            yield from _action_group(view.resource(group))


def _action_group(group: Resource) -> Iterator[Objection]:
    if group.properties.flag("enabled") is False:
        message = f"{group.node.name}, which the budget notifies, is not enabled"
        yield Objection(message=message, setting=("budget", "contacts"))
    if not any(group.properties.items(key) for key in group.properties.values if key.endswith("Receivers")):
        message = f"{group.node.name}, which the budget notifies, has no receiver"
        yield Objection(message=message, setting=("budget", "contacts"))

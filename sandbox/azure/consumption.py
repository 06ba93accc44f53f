"""Microsoft.Consumption: budgets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from sandbox.azure.checks import SCOPE, at_least, at_most, get, matches, values
from sandbox.azure.model import Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, reveal

# All rules: consumption API specification 2024-08-01 and the "create and manage budgets" tutorial of the Cost
# Management docs.
_SPEC = "consumption API specification 2024-08-01"
_MAX_NOTIFICATIONS = 5
_MAX_THRESHOLD = 1000


def _period(inputs: Properties) -> Iterable[Failure]:
    period = reveal(inputs.get("timePeriod"))
    if not isinstance(period, dict):
        return
    start, end = period.get("startDate"), period.get("endDate")
    if isinstance(start, str) and not re.match(r"\d{4}-\d{2}-01(T|$)", start):
        yield Failure("timePeriod.startDate", f"a budget starts on the first of a month, not on '{start}'")
    if isinstance(start, str) and start < "2017-06-01":
        yield Failure("timePeriod.startDate", f"a budget starts on or after 2017-06-01, not on '{start}'")
    if isinstance(start, str) and isinstance(end, str) and end[:10] <= start[:10]:
        yield Failure("timePeriod.endDate", f"the end '{end}' is not after the start '{start}'")


def _notifications(inputs: Properties) -> Iterable[Failure]:
    notifications = reveal(inputs.get("notifications"))
    if not isinstance(notifications, dict):
        return
    if len(notifications) > _MAX_NOTIFICATIONS:
        yield Failure(
            "notifications", f"a budget has at most {_MAX_NOTIFICATIONS} notifications, here are {len(notifications)}"
        )
    for name, notification in notifications.items():
        threshold = notification.get("threshold") if isinstance(notification, dict) else UNKNOWN
        if isinstance(threshold, int | float) and not 0 <= threshold <= _MAX_THRESHOLD:
            yield Failure(
                f"notifications.{name}.threshold", f"a threshold is 0 to {_MAX_THRESHOLD} percent, not {threshold}"
            )


def _amount(inputs: Properties) -> Iterable[Failure]:
    amount = reveal(inputs.get("amount"))
    if isinstance(amount, int | float) and amount <= 0:
        yield Failure("amount", f"a budget's amount must be above 0, not {amount}")


_DATE_TIME = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:\d{2})?)?"
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_MONTHS_AHEAD = 12


def _receivers(inputs: Properties) -> Iterable[Failure]:
    """A notification reaches somebody; action groups only work for subscriptions and resource groups."""
    for where, notification in values(inputs, "notifications{}"):
        if not isinstance(notification, dict):
            continue
        receivers = [notification.get(name) for name in ("contactEmails", "contactGroups", "contactRoles")]
        if not any(receivers):
            yield Failure(
                f"{where}.contactEmails", "a notification needs a contact: an email, a role or an action group"
            )


def _groups_fit_the_scope(inputs: Properties) -> Iterable[Failure]:
    scope = reveal(inputs.get("scope"))
    if isinstance(scope, str) and not scope.lower().lstrip("/").startswith("subscriptions/"):
        for where, groups in values(inputs, "notifications{}.contactGroups"):
            if groups:
                yield Failure(where, "action groups work for budgets of subscriptions and resource groups only")


def _grain(inputs: Properties) -> Iterable[Failure]:
    grain = reveal(inputs.get("timeGrain"))
    if isinstance(grain, str) and grain.startswith("Billing"):
        text = f"'{grain}' is for Web Direct subscriptions only: use 'Monthly', 'Quarterly' or 'Annually'"
        yield Failure("timeGrain", text)


def _filter_form(inputs: Properties) -> Iterable[Failure]:
    """A filter is an ``and`` of at least two, or one dimension or tag."""
    given = reveal(inputs.get("filter"))
    if isinstance(given, dict) and len([key for key, value in given.items() if value is not None]) > 1:
        yield Failure("filter", "a filter is exactly one of 'and', 'dimensions' and 'tags'")


def _start_is_near(context: Context) -> None:
    """A future start is at most twelve months ahead.

    The specification also wants a past start within the current grain. The sandbox does not ask for that: the stack
    files' starts age while nobody touches them (docs/sandbox.md).
    """
    start = str(get(context.inputs, "timePeriod.startDate"))[:10]
    today = dt.datetime.fromisoformat(context.created).date()
    latest = today.replace(year=today.year + _MONTHS_AHEAD // 12, day=1)
    if context.previous is None and dt.date.fromisoformat(start) > latest:
        text = f"Start date {start} is not valid. Future start date should not be more than twelve months ahead."
        raise ArmError(400, "InvalidBudgetStartDate", text)


def _start_stays(_: str, path: str) -> ArmError:
    text = f"{path} cannot be updated. Please delete and create a new budget."
    return ArmError(400, "BadRequest", text)


TYPES = (
    ResourceType(
        pulumi_type="azure-native:consumption:Budget",
        path="/{scope}/providers/Microsoft.Consumption/budgets/{budgetName}",
        names={"budgetName": NameRule(pattern=r"[\w-]{1,63}", text="1 to 63 letters, digits, '_' or '-'")},
        # "delete and create a new budget" is what the service answers; the provider tries an update.
        immutable=("timeGrain", "timePeriod.startDate"),
        change_refused=_start_stays,
        checks=(
            _period,
            _notifications,
            _amount,
            _receivers,
            _groups_fit_the_scope,
            _grain,
            _filter_form,
            matches("scope", SCOPE, "the id of what the budget is for", "Azure REST API: budgets"),
            matches("timePeriod.startDate", _DATE_TIME, "a date such as '2026-12-01T00:00:00Z'", _SPEC),
            matches("timePeriod.endDate", _DATE_TIME, "a date such as '2036-12-01T00:00:00Z'", _SPEC),
            matches("notifications{}.contactEmails[]", _EMAIL, "an email address", _SPEC),
            at_most("notifications{}.contactEmails", 50, _SPEC),
            at_most("notifications{}.contactGroups", 50, _SPEC),
            at_least("filter.and", 2, _SPEC),
        ),
        rules=(_start_is_near,),
        outputs=lambda _: {"currentSpend": {"amount": 0, "unit": "USD"}},
    ),
)

"""Microsoft.Consumption: budgets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.azure.model import NameRule, ResourceType
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, reveal

# All rules: consumption API specification 2024-08-01 and the "create and manage budgets" tutorial of the Cost
# Management docs.
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


TYPES = (
    ResourceType(
        pulumi_type="azure-native:consumption:Budget",
        path="/{scope}/providers/Microsoft.Consumption/budgets/{budgetName}",
        names={"budgetName": NameRule(pattern=r"[\w-]{1,63}", text="1 to 63 letters, digits, '_' or '-'")},
        # "delete and create a new budget" is what the service answers; the provider tries an update.
        immutable=("timePeriod.startDate", "timeGrain"),
        checks=(_period, _notifications, _amount),
        outputs=lambda _: {"currentSpend": {"amount": 0, "unit": "USD"}},
    ),
)

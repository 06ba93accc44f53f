"""Token buckets in front of write calls, kept in the store (``throttle/<what it is for>``).

Two kinds: a resource provider's own, one for each resource, and Resource Manager's, one for the whole subscription.
"""

from __future__ import annotations

import math
from functools import cache

from gpufleet.catalog.table import Row
from sandbox import arm
from sandbox.azure.model import SANDBOX_PRINCIPAL
from sandbox.errors import ArmError
from sandbox.pace import Pace
from sandbox.store import Transaction
from sandbox.tables import read_table

_BUCKETS = "throttle/"


@cache
def _rules(arm_type: str) -> tuple[Row, ...]:
    columns = ("type", "scope", "verbs", "burst", "refill_seconds", "status", "code", "message", "source")
    rows = read_table("throttling.csv", columns)
    return tuple(row for row in rows if row.text("type").lower() in {"*", arm_type.lower()})


def draw(transaction: Transaction, resource_id: str, verb: str, *, now: float, pace: Pace) -> None:
    """Take a token of every bucket that a write call draws from (``sandbox/data/throttling.csv``).

    When time does not pass (scale 0) tokens are back at once, so nothing is written.

    Raises:
        ArmError: a bucket is empty.
    """
    if pace.scale == 0:
        return
    for rule in _rules(arm.type_of(resource_id)):
        if verb in rule.text("verbs").split():
            _draw(transaction, rule, resource_id, verb, now=now, pace=pace)


def _draw(transaction: Transaction, rule: Row, resource_id: str, verb: str, *, now: float, pace: Pace) -> None:
    subscription = resource_id.split("/")[2]
    if rule.choice("scope", "resource", "subscription") == "resource":
        owner = resource_id
    else:
        owner = f"/subscriptions/{subscription}/{rule.text('verbs').replace(' ', '+')}"
    key, refill = _BUCKETS + owner.lower(), pace.real(rule.number("refill_seconds"))
    bucket = transaction.get(key) or {"tokens": rule.number("burst"), "at": now}
    tokens = min(rule.number("burst"), bucket["tokens"] + (now - bucket["at"]) / refill)
    if tokens >= 1:
        transaction.put(key, {"tokens": tokens - 1, "at": now})
        return
    seconds = math.ceil((1 - tokens) * rule.number("refill_seconds"))
    kind = "delete" if verb == "delete" else "write"
    message = rule.text("message").format(
        subscription=subscription, actor=SANDBOX_PRINCIPAL, kind=kind, seconds=seconds
    )
    raise ArmError(rule.integer("status"), rule.text("code"), message, retry_after=seconds)

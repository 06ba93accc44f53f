"""Token buckets in front of a resource provider's write calls, kept in the store (``throttle/<resource id>``)."""

from __future__ import annotations

import math
from functools import cache

from gpufleet.catalog.table import Row
from sandbox import arm
from sandbox.errors import ArmError
from sandbox.pace import Pace
from sandbox.store import Transaction
from sandbox.tables import read_table

_BUCKETS = "throttle/"


@cache
def _rule(arm_type: str) -> Row | None:
    columns = ("type", "verbs", "burst", "refill_seconds", "status", "code", "message", "source")
    rows = read_table("throttling.csv", columns)
    return next((row for row in rows if row.text("type").lower() == arm_type.lower()), None)


def draw(transaction: Transaction, resource_id: str, verb: str, *, now: float, pace: Pace) -> None:
    """Take one token for a write call.

    Source: AKS docs, quotas-skus-regions: 20 PUT calls at once, one more a minute, for each cluster and each pool. When
    time does not pass (scale 0) tokens are back at once, so nothing is written.

    Raises:
        ArmError: there is none.
    """
    rule = _rule(arm.type_of(resource_id))
    if rule is None or pace.scale == 0 or verb not in rule.text("verbs").split():
        return
    key, refill = _BUCKETS + resource_id.lower(), pace.real(rule.number("refill_seconds"))
    bucket = transaction.get(key) or {"tokens": rule.number("burst"), "at": now}
    tokens = min(rule.number("burst"), bucket["tokens"] + (now - bucket["at"]) / refill)
    if tokens >= 1:
        transaction.put(key, {"tokens": tokens - 1, "at": now})
        return
    seconds = math.ceil((1 - tokens) * rule.number("refill_seconds"))
    message = rule.text("message").format(subscription=resource_id.split("/")[2], seconds=seconds)
    raise ArmError(rule.integer("status"), rule.text("code"), message, retry_after=seconds)

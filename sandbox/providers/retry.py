"""When the azure-native provider sends a request again: azcore's retry policy as the provider sets it.

Source: pulumi-azure-native provider/pkg/azure/client_azcore.go (initPipelineOpts, shouldRetryConflict) and azcore's
sdk/azcore/runtime/policy_retry.go (calcDelay): three more tries after 20, 60 and 120 seconds, give or take, or after
the answer's Retry-After unless that is longer than the longest delay.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from sandbox.errors import ArmError
from sandbox.pace import Pace

T = TypeVar("T")

_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_CONFLICT = "AnotherOperationInProgress"
_RETRIES = 3
_DELAY_SECONDS = 20.0
_LONGEST_SECONDS = 120.0


def send(call: Callable[[], T], pace: Pace, chance: Callable[[], float] = random.random) -> T:
    """Call until it succeeds, fails for good, or the tries are used up.

    Args:
        call: one request.
        pace: what to wait with.
        chance: a number from 0 to below 1, for the jitter.

    Raises:
        ArmError: the last answer.
        CancelledError: the provider was told to stop while it waited.
    """
    for attempt in range(1, _RETRIES + 1):
        try:
            return call()
        except ArmError as error:
            delay = _delay(error, attempt, chance)
            if delay is None:
                raise
        pace.sleep(delay)
    return call()


def _delay(error: ArmError, attempt: int, chance: Callable[[], float]) -> float | None:
    """Seconds until the next try, or None when there is none."""
    if error.status not in _STATUSES and not (error.status == 409 and error.code == _CONFLICT):
        return None
    if error.retry_after:
        return error.retry_after if error.retry_after <= _LONGEST_SECONDS else None
    factor = float(2**attempt - 1) * (0.8 + chance() / 2)
    return min(_DELAY_SECONDS * factor, _LONGEST_SECONDS)

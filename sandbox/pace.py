"""How fast the sandbox's time goes: seconds of Azure's time times a scale are seconds of the wall clock."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping

from sandbox.errors import SandboxError

SCALE_VARIABLE = "GPUFLEET_SANDBOX_TIME_SCALE"


class CancelledError(SandboxError):
    """A wait was ended because the engine asked the provider to stop."""


class Pace:
    """Waits in Azure's seconds. With scale 0 nothing takes time; with 0.01 an hour takes 36 seconds."""

    def __init__(self, scale: float = 0.0, wait: Callable[[float], bool] | None = None) -> None:
        """Make a pace.

        Args:
            scale: seconds of the wall clock for a second of Azure's, at least 0.
            wait: waits for seconds of the wall clock and says whether it was cancelled; tests give their own.
        """
        self.scale = scale
        self._cancelled = threading.Event()
        self._wait = wait or self._cancelled.wait

    def real(self, seconds: float) -> float:
        """Seconds of the wall clock for seconds of Azure's."""
        return seconds * self.scale

    def sleep(self, seconds: float) -> None:
        """Wait for seconds of Azure's.

        Raises:
            CancelledError: `cancel` was called.
        """
        if self._cancelled.is_set() or self._wait(self.real(seconds)):
            raise CancelledError("context canceled")

    def cancel(self) -> None:
        """End every wait, now and later."""
        self._cancelled.set()


def pace_from(environment: Mapping[str, str] = os.environ) -> Pace:
    """The pace that `GPUFLEET_SANDBOX_TIME_SCALE` names; not set or empty means 0, at once.

    Raises:
        SandboxError: it is no number of at least 0.
    """
    text = environment.get(SCALE_VARIABLE, "").strip()
    if not text:
        return Pace()
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 <= scale < math.inf:
        raise SandboxError(
            f"{SCALE_VARIABLE} must be a number of at least 0 (0 = at once, 0.01 = a hundred times as fast as Azure, "
            f"1 = as slow), but is '{text}'"
        )
    return Pace(scale)

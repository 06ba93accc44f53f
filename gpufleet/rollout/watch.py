"""What a region's monitoring says of its model servers, and whether that is good enough to go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gpufleet.errors import ExitCode, GpufleetError


class SignalsUnknownError(GpufleetError):
    """Nobody knows how a region does: its monitoring does not answer, refuses to, or is not there."""

    exit_code = ExitCode.UNDECIDED


@dataclass(frozen=True, kw_only=True)
class Signals:
    """One look at a region.

    Attributes:
        requests_per_second: to all its model servers.
        error_percent: share of answers with HTTP 5xx, 0 to 100; None without a request.
        ttft_ms: time to first token in milliseconds, 95th percentile; None without a request.
    """

    requests_per_second: float
    error_percent: float | None = None
    ttft_ms: float | None = None


class Watch(Protocol):
    """A region's monitoring."""

    def signals(self, region: str) -> Signals:
        """How the region does now.

        Raises:
            SignalsUnknownError: nobody knows.
        """


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a region may do at most."""

    error_percent: float
    latency_increase_percent: float

    def broken(self, now: Signals, *, before_ttft_ms: float | None) -> Iterator[str]:
        """What is worse than allowed, in words.

        Args:
            now: a look at the region.
            before_ttft_ms: time to first token before the release; without it latency is not judged.
        """
        if now.error_percent is not None and now.error_percent > self.error_percent:
            yield f"{now.error_percent:.1f}% of the requests fail, {self.error_percent:g}% may"
        if now.ttft_ms is not None and before_ttft_ms:
            most = before_ttft_ms * (1 + self.latency_increase_percent / 100)
            if now.ttft_ms > most:
                yield (
                    f"the first token takes {now.ttft_ms:.0f} ms (95th percentile), {most:.0f} ms it may: "
                    f"{before_ttft_ms:.0f} ms before the release and {self.latency_increase_percent:g}%"
                )

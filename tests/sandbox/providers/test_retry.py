from __future__ import annotations

import pytest

from sandbox.errors import ArmError
from sandbox.pace import CancelledError, Pace
from sandbox.providers.retry import send
from tests.sandbox.manual_time import ManualTime


class Service:
    """Answers with errors first, then with 'done'."""

    def __init__(self, *errors: ArmError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def middle() -> float:
    """The chance that makes a delay neither shorter nor longer."""
    return 0.4


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_three_more_tries_after_20_60_and_120_seconds(status: int) -> None:
    time, service = ManualTime(), Service(*[ArmError(status, "X", "x")] * 3)
    assert send(service, time.pace(), middle) == "done"
    assert time.waits == pytest.approx([20, 60, 120])


def test_the_fourth_answer_counts() -> None:
    time, service = ManualTime(), Service(*[ArmError(503, "X", "x")] * 5)
    with pytest.raises(ArmError, match="Status=503"):
        send(service, time.pace(), middle)
    assert service.calls == 4


@pytest.mark.parametrize(("chance", "first"), [(0.0, 16.0), (0.999999, 26.0)])
def test_the_delay_is_somewhat_random(chance: float, first: float) -> None:
    time = ManualTime()
    send(Service(ArmError(500, "X", "x")), time.pace(), lambda: chance)
    assert time.waits == pytest.approx([first], abs=0.001)


def test_retry_after_is_obeyed_up_to_the_longest_delay() -> None:
    time = ManualTime()
    assert send(Service(ArmError(429, "X", "x", retry_after=7)), time.pace(), middle) == "done"
    assert time.waits == [7]
    service = Service(ArmError(429, "X", "x", retry_after=121))
    with pytest.raises(ArmError):
        send(service, time.pace(), middle)
    assert service.calls == 1


@pytest.mark.parametrize(
    ("status", "code", "calls"),
    [(409, "AnotherOperationInProgress", 2), (409, "OperationNotAllowed", 1), (400, "QuotaExceeded", 1), (200, "X", 1)],
)
def test_of_conflicts_only_one_is_repeated(status: int, code: str, calls: int) -> None:
    service = Service(ArmError(status, code, "x"))
    if calls == 1:
        with pytest.raises(ArmError):
            send(service, Pace(), middle)
    else:
        assert send(service, Pace(), middle) == "done"
    assert service.calls == calls


def test_a_wait_between_tries_can_be_cancelled() -> None:
    pace = Pace(scale=1)
    pace.cancel()
    with pytest.raises(CancelledError):
        send(Service(ArmError(503, "X", "x")), pace, middle)

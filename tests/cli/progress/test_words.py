from __future__ import annotations

import pytest

from gpufleet.cli.progress.words import duration, operation, value
from gpufleet.engine import SECRET, UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (59.94, "59.9s"), (59.96, "1m 00s"), (3599, "59m 59s"), (3600, "1h 00m"), (90061, "25h 01m")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("op", "normal"),
    [("create-replacement", "replace"), ("delete-replaced", "replace"), ("create", "create"), ("brand-new", "same")],
)
def test_a_replacements_steps_are_one_operation(op: str, normal: str) -> None:
    assert operation(op) == normal


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (8, "8"),
        ("a", '"a"'),
        (UNKNOWN, "known after apply"),
        ([1, UNKNOWN], "[1, known after apply]"),
        (SECRET, "[secret]"),
        ("x" * 99, '"' + "x" * 56 + "..."),
    ],
)
def test_value(thing: object, text: str) -> None:
    assert value(thing) == text

from __future__ import annotations

import pytest

from gpufleet.sizing.explanation import shown, shown_share


@pytest.mark.parametrize(
    ("value", "text"),
    [(12, "12"), (31522.4, "31,522"), (0.97123, "0.9712"), (8.4e23, "8.4e+23"), (0.0, "0"), ("would not do",) * 2],
)
def test_values_as_people_read_them(value: float | str, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0, "0 %"),
        (1e-12, "under 0.1 %"),
        (0.001, "0.1 %"),
        (0.0049, "0.4 %"),
        (0.0999, "9.9 %"),
        (0.29, "29 %"),
        (0.9899, "98 %"),
        (0.9999, "99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_share_never_reads_as_more_than_it_is(part: float, text: str) -> None:
    assert shown_share(part) == text

from __future__ import annotations

import pytest

from sandbox.providers.difference import Change, carry_over, compare
from sandbox.values import UNKNOWN, Properties, Secret

UPDATE, REPLACE = Change("update", replace=False), Change("update", replace=True)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": 1}, {"a": True}, {"a": UPDATE}),
        ({"a": "1"}, {"a": 1}, {"a": UPDATE}),
        ({}, {"a": 1}, {"a": Change("add", replace=False)}),
        ({"a": 1}, {}, {"a": Change("delete", replace=False)}),
        ({"a": Secret(1)}, {"a": 1}, {}),
        ({"a": 1}, {"a": UNKNOWN}, {"a": UPDATE}),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3, 4]}}, {"a.b[1]": UPDATE, "a.b[2]": Change("add", replace=False)}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": UPDATE}),
        ({"a": {"x.y": 1}}, {"a": {"x.y": 2}}, {'a["x.y"]': UPDATE}),
        ({"__createBeforeDelete": True}, {}, {}),
        (
            {"fixed": {"b": 1, "c": 1}},
            {"fixed": {"b": 2}},
            {"fixed.b": REPLACE, "fixed.c": Change("delete", replace=True)},
        ),
        (
            {"list": [{"fixed": 1, "free": 1}]},
            {"list": [{"fixed": 2, "free": 2}]},
            {"list[0].fixed": REPLACE, "list[0].free": UPDATE},
        ),
    ],
)
def test_changes(old: Properties, new: Properties, changes: dict[str, Change]) -> None:
    assert compare(old, new, ("fixed", "list[].fixed")) == changes


@pytest.mark.parametrize(
    ("inputs", "before", "after", "carried"),
    [
        ({"a": 1}, {"a": 1, "default": 2}, {"a": 1, "default": 2}, {"a": 1}),
        ({"a": 1}, {"a": 1}, {"a": 3}, {"a": 3}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"a": 1}, {"a": 1, "default": 2}, {"a": 1, "default": 3}, {"a": 1, "default": 3}),
        ({"a": 1}, {"a": 1}, {"a": 1, "tags": {"x": "y"}}, {"a": 1, "tags": {"x": "y"}}),
        ({"writeOnly": 1}, {}, {}, {"writeOnly": 1}),
        ({"o": {"a": 1}}, {"o": {"a": 1, "d": 1}}, {"o": {"a": 2, "d": 1}}, {"o": {"a": 2}}),
        ({"l": [{"a": 1}]}, {"l": [{"a": 1, "d": 1}]}, {"l": [{"a": 2, "d": 1}]}, {"l": [{"a": 2}]}),
    ],
)
def test_a_refresh_carries_what_changed(
    inputs: Properties, before: Properties, after: Properties, carried: Properties
) -> None:
    assert carry_over(inputs, before, after) == carried

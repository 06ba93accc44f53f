"""Label selectors, as Kubernetes reads them."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.graph import UNKNOWN
from policies.reading import MistypedError, Properties, UndecidedError
from policies.selectors import matches

LABELS: dict[str, Any] = {"app": "chat", "tier": "gpu", "model": UNKNOWN}


def expression(operator: str, key: str, *values: str) -> dict[str, Any]:
    """A selector of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        ({"matchLabels": {"app": "chat"}}, True),
        ({"matchLabels": {"app": "chat", "tier": "cpu"}}, False),
        ({"matchLabels": {"owner": "ml"}}, False),
        (expression("In", "app", "chat", "code"), True),
        (expression("In", "owner", "ml"), False),
        (expression("NotIn", "app", "chat"), False),
        (expression("NotIn", "owner", "ml"), True),
        (expression("Exists", "app"), True),
        (expression("Exists", "owner"), False),
        (expression("DoesNotExist", "app"), False),
        (expression("DoesNotExist", "owner"), True),
        ({"matchLabels": {"app": "chat"}, **expression("In", "tier", "cpu")}, False),
    ],
)
def test_what_a_selector_matches(selector: dict[str, Any], expected: bool) -> None:
    assert matches(Properties(selector), LABELS) is expected


def test_an_unknown_label_decides_nothing() -> None:
    with pytest.raises(UndecidedError, match="model"):
        matches(Properties({"matchLabels": {"model": "llama"}}), LABELS)


def test_an_unknown_part_of_the_selector_decides_nothing() -> None:
    with pytest.raises(UndecidedError):
        matches(Properties({"matchLabels": {"app": UNKNOWN}}), LABELS)


def test_an_operator_that_kubernetes_has_not() -> None:
    with pytest.raises(MistypedError, match="Like"):
        matches(Properties(expression("Like", "app", "chat")), LABELS)

"""Kubernetes label selectors."""

from __future__ import annotations

from collections.abc import Mapping

from gpufleet.graph.model import Hidden, Value
from policies.reading import MistypedError, Properties, UndecidedError


def matches(selector: Properties, labels: Mapping[str, Value]) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) matches; an empty one matches everything.

    Raises:
        UndecidedError: a label or a part of the selector that decides is unknown.
        MistypedError: the selector has an operator that Kubernetes hasn't.
    """
    wanted = selector.below("matchLabels")
    return all(_value(labels, key) == wanted.text(key) for key in wanted.values) and all(
        _holds(expression, labels) for expression in selector.each("matchExpressions")
    )


def _holds(expression: Properties, labels: Mapping[str, Value]) -> bool:
    value = _value(labels, expression.text("key") or "")
    match expression.text("operator"):
        case "In":
            return value in expression.texts("values")
        case "NotIn":
            return value not in expression.texts("values")
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case other:
            raise MistypedError(f"a selector has the operator {other}, which Kubernetes hasn't")


def _value(labels: Mapping[str, Value], key: str) -> Value:
    value = labels.get(key)
    if isinstance(value, Hidden):
        raise UndecidedError(f"the label {key} is not known")
    return value

"""What the API server checks of built-in kinds beyond types and required fields.

One rule a line in sandbox/data/kubernetes_rules.csv, each with its source (:mod:`sandbox.kubernetes.rules.table`);
tests/sandbox/kubernetes/test_rules.py holds a violating and a nearest passing case of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from sandbox.kubernetes.fields import FieldError, concealed, each, invalid
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.metadata import check_metadata
from sandbox.kubernetes.rules.model import POD_SPECS, Rule, is_number
from sandbox.kubernetes.rules.table import read_rules
from sandbox.values import Properties, Value

RULES = read_rules()

# Integers of built-in kinds are int32 but for these (k8s.io/api types; metadata is the API server's own).
_INT64 = frozenset(
    {
        "activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerationSeconds", "runAsUser", "runAsGroup",
        "fsGroup", "expirationSeconds", "supplementalGroups", "startingDeadlineSeconds", "seconds", "readOnlyCount",
    }
)  # fmt: skip
# Integers that may be below zero: PriorityClass.value, Pod.spec.priority, Toleration.tolerationSeconds (which "0 and
# negative values" evict at once, k8s.io/api core/v1 types.go).
_SIGNED = frozenset({"value", "priority", "tolerationSeconds"})


@cache
def _rules_of(key: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if key in rule.kinds)


def check_object(kind: Kind, body: Properties) -> list[FieldError]:
    """Everything wrong with an object, whatever else is in the cluster.

    Unknown values pass; secrets are checked and never shown. Types and required fields of built-in kinds are the
    contract's business (:mod:`sandbox.contract`), those of custom kinds their definition's.
    """
    plain: Properties = concealed(body)
    errors = list(check_metadata(kind, plain))
    for rule in _rules_of(kind.key):
        root = POD_SPECS[kind.key] if rule.pod else ""
        for path, value in each(plain, root):
            for pattern in rule.at:
                for where, found in each(value, pattern, path):
                    errors += (replace(error, rule=rule.id) for error in rule.check(where, found))
    if kind.key in _NUMBERED:
        # A number that breaks its own rule as well is told once.
        told = {error.path for error in errors}
        general = (error for name in ("spec", "value") for error in _numbers(plain.get(name), name, name))
        errors += (replace(error, rule="integers") for error in general if error.path not in told)
    return errors


_NUMBERED = frozenset(kind for rule in RULES for kind in rule.kinds)


def _numbers(value: Value, path: str, name: str) -> Iterator[FieldError]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{path}.{key}", key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{path}[{index}]", name)
    elif is_number(value):
        bits = 64 if name in _INT64 else 32
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            yield FieldError(path, f"json: cannot unmarshal number {int(value)} into a field of type int{bits}")
        elif value < 0 and name not in _SIGNED:
            yield invalid(path, value, "must be greater than or equal to 0")

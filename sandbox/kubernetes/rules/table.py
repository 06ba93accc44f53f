"""The rules of sandbox/data/kubernetes_rules.csv.

Columns: ``id``; ``kinds`` (``group/Kind`` …, or ``pods`` for every kind with a pod spec, without the ``!group/Kind``);
``fields`` (paths below the object, for ``pods`` below the pod spec; ``{a,b}`` stands for both, ``.`` for the whole);
``check`` and its ``arguments``, separated by ``|``; ``source`` (paths in github.com/kubernetes/kubernetes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gpufleet.catalog.table import Row
from sandbox.kubernetes import names

# These register their checks.
from sandbox.kubernetes.rules import cluster as _cluster  # noqa: F401
from sandbox.kubernetes.rules import core as _core  # noqa: F401
from sandbox.kubernetes.rules import pods as _pods  # noqa: F401
from sandbox.kubernetes.rules import workloads as _workloads  # noqa: F401
from sandbox.kubernetes.rules.model import (
    CODED,
    PODS,
    Check,
    Rule,
    at_least,
    at_most_one,
    between,
    exactly_one,
    keys,
    named,
    needs,
    one_of,
    percent_or_count,
    quantities,
    quantity_value,
    unique,
)
from sandbox.tables import read_table

_COLUMNS = ("id", "kinds", "fields", "check", "arguments", "source")
_CHOICE = re.compile(r"\{([^}]*)\}")
_CHECKS: Mapping[str, Callable[..., Check]] = {
    "at-least": lambda low: at_least(int(low)),
    "at-most-one": at_most_one,
    "between": lambda low, high: between(int(low), int(high)),
    "code": CODED.__getitem__,
    "exactly-one": exactly_one,
    "keys": lambda name: keys(getattr(names, name)),
    "named": lambda name: named(getattr(names, name)),
    "named?": lambda name: named(getattr(names, name), empty=True),
    "needs": needs,
    "one-of": one_of,
    "percent-or-count": lambda _: percent_or_count,
    "quantities": lambda _: quantities,
    "quantity": lambda _: quantity_value,
    "unique": unique,
}


def read_rules() -> tuple[Rule, ...]:
    """Every rule, in the table's order."""
    return tuple(_rule(row) for row in read_table("kubernetes_rules.csv", _COLUMNS))


def _rule(row: Row) -> Rule:
    kinds = row.text("kinds").split()
    pod = kinds[0] == "pods"
    wanted = [kind for kind in (PODS if pod else kinds) if f"!{kind}" not in kinds]
    fields = [path for paths in row.text("fields").split() for path in _expanded(paths)]
    return Rule(
        id=row.text("id"),
        kinds=tuple(wanted),
        at=tuple("" if path == "." else path for path in fields),
        check=_CHECKS[row.choice("check", *_CHECKS)](*row.cells["arguments"].split("|")),
        source=row.text("source"),
        pod=pod,
    )


def _expanded(path: str) -> list[str]:
    """``a.{b,c}`` as ``a.b`` and ``a.c``."""
    found = _CHOICE.search(path)
    if found is None:
        return [path]
    return [
        whole
        for option in found[1].split(",")
        for whole in _expanded(path[: found.start()] + option + path[found.end() :])
    ]

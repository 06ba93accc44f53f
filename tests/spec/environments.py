"""A valid environment as a plain value, ways to change it, and what the specification says about it."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest

from gpufleet.spec import Problem, Severity, SpecError, load, parse
from gpufleet.spec.base import Path
from gpufleet.spec.stack_file import StackFile

GONE = object()
"""As a new value: take the key away."""

POOL = ("training", 0, "pools", 0)
"""Path of the H100 pool."""
DATA = ("training", 0, "pools", 1)
"""Path of the CPU pool."""
SERVE = ("inference", "regions", 0, "pools", 0)
"""Path of the first inference pool."""
CLUSTER = ("training", 0, "cluster")
NETWORK = ("training", 0, "network")


def environment() -> dict[str, Any]:
    """Two H100 domains' worth of nothing special: every rule is kept, with room on both sides."""
    return {
        "class": "standard",
        "owner": "ml-platform",
        "costCenter": "cc-1",
        "allowedRegions": ["eastus", "swedencentral"],
        "budget": {"monthlyUsd": 1000000, "start": "2026-12-01", "contacts": ["a@example.com"]},
        "training": [
            {
                "name": "lab",
                "region": "eastus",
                "pools": [
                    {"name": "h100", "sku": "Standard_ND96isr_H100_v5", "nodes": {"min": 1, "max": 8}},
                    {"name": "data", "sku": "Standard_D32s_v5", "nodes": {"min": 0, "max": 4}},
                ],
                "workload": {"parametersB": 7, "tokensB": 100, "datasetTiB": 2},
                "storage": {"lustre": {"sku": "AMLFS-Durable-Premium-250"}},
            }
        ],
        "inference": {
            "models": [
                {
                    "name": "chat",
                    "parametersB": 7,
                    "precision": "fp8",
                    "contextTokens": 4096,
                    "demandTokensPerSecond": 100,
                }
            ],
            "regions": [
                {
                    "name": "swedencentral",
                    "pools": [{"name": "nc", "sku": "Standard_NC40ads_H100_v5", "nodes": {"min": 1, "max": 2}}],
                }
            ],
        },
    }


def changed(changes: dict[Path, object], base: dict[str, Any] | None = None) -> dict[str, Any]:
    """The environment with values set at paths; a list index at the end of a list appends."""
    value: Any = copy.deepcopy(base if base is not None else environment())
    for path, new in changes.items():
        holder = value
        for part in path[:-1]:
            holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
        if new is GONE:
            del holder[path[-1]]
        elif isinstance(holder, list) and path[-1] == len(holder):
            holder.append(copy.deepcopy(new))
        else:
            holder[path[-1]] = copy.deepcopy(new)
    assert isinstance(value, dict)
    return value


def verdict(value: object, today: dt.date | None = None) -> list[Problem]:
    """Every problem of an environment, warnings too."""
    try:
        if today is None:
            return list(parse(value).warnings)
        return list(load(StackFile("test", value, {}, ()), today=today).warnings)
    except SpecError as error:
        return list(error.problems)


@dataclass(frozen=True)
class Case:
    """Changes that break one rule, what is then said, and the nearest changes that keep it."""

    name: str
    broken: dict[Path, object]
    key: str
    message: str
    kept: dict[Path, object] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
    today: dt.date | None = None


def cases(*table: Case) -> pytest.MarkDecorator:
    """A test's cases, named."""
    return pytest.mark.parametrize("case", table, ids=[case.name for case in table])


def judge(case: Case) -> None:
    """The broken environment has this one problem and no other, and the kept one has none."""
    found = [(problem.severity, problem.key, problem.message) for problem in verdict(changed(case.broken), case.today)]
    assert found == [(case.severity, case.key, case.message)]
    assert [str(problem) for problem in verdict(changed(case.kept), case.today)] == []

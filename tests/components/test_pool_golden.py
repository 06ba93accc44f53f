"""The ARM bodies of every kind of pool, and the tables that say why each field is what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests.components.graphs import ROOT, stack_graph
from tests.components.pool_bodies import FOLDER, KINDS, fields_of, file_of

GUIDE = ROOT / "docs" / "guides" / "training-pools.md"
# One line of a table of the guide: `field` | value | why | source.
_ROW = re.compile(r"^\| `(?P<field>[^`]+)` \| (?P<value>.+?) \| .+? \| .+? \|$", re.MULTILINE)
_OF_THE_CLUSTER = ("autoScalerProfile.", "maintenanceWindow.")
# What the stack file or another resource gives: the guide says where it comes from, not the value.
_GIVEN = {"count", "vmSize", "vnetSubnetID", "nodeLabels", "tags", "orchestratorVersion"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_written_bodies_are_current(kind: str) -> None:
    assert _written(kind) == file_of(kind), "run python -m tests.components.write_pool_golden"


def test_there_are_no_other_files() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "everything-stated"])
def test_the_guide_has_every_value(kind: str) -> None:
    for body in _written(kind).values():
        for field, value in _fields(body["properties"]):
            if field not in _GIVEN:
                _assert_told(field, value)


def test_the_guide_has_every_field_and_no_other() -> None:
    made = {field for kind in KINDS for body in _written(kind).values() for field, _ in _fields(body["properties"])}
    assert {field for field in _rows() if not field.startswith(_OF_THE_CLUSTER)} == made


def test_the_guide_has_what_the_cluster_sets() -> None:
    graph = stack_graph("dev")
    profile = graph.one("containerservice:ManagedCluster", "lab-cluster-aks").inputs["autoScalerProfile"]
    window = graph.one("containerservice:MaintenanceConfiguration", "lab-cluster-aksManagedAutoUpgradeSchedule").inputs
    settings = {"autoScalerProfile": profile, "maintenanceWindow": window["maintenanceWindow"]}
    told = dict(_fields(settings))
    assert {field for field in _rows() if field.startswith(_OF_THE_CLUSTER)} == set(told)
    for field, value in told.items():
        _assert_told(field, value)


def _written(kind: str) -> dict[str, dict[str, Any]]:
    value: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text(encoding="utf-8"))
    return value


@cache
def _rows() -> dict[str, str]:
    rows = [(match["field"], match["value"]) for match in _ROW.finditer(GUIDE.read_text(encoding="utf-8"))]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def _fields(body: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for field in fields_of(body):
        value: Any = body
        for step in field.split(".")[1:]:
            value = value[step]
        yield field.partition(".")[2], value


def _assert_told(field: str, value: object) -> None:
    for one in value if isinstance(value, list) else [value]:
        text = str(one).lower() if isinstance(one, bool) else f"{one:g}" if isinstance(one, float) else str(one)
        assert f"`{text}`" in _rows()[field], f"{field}: {text}"

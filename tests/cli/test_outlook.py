"""`gpufleet outlook`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.cli.command_line import Gpufleet
from tests.outlook.samples import value

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "outlook.v1.json").read_text(encoding="utf-8"))


@pytest.fixture
def world(gpufleet: Gpufleet) -> Gpufleet:
    """A checkout with the sample as its one stack."""
    gpufleet.stack("world", yaml.safe_dump({"config": {"gpufleet:environment": value()}}))
    return gpufleet


def test_tables_for_people(world: Gpufleet) -> None:
    found = world("outlook", "world")
    lines = found.out.splitlines()
    assert found.code == 0
    assert lines[0].startswith("A day: ")
    assert [line.split("  ")[0] for line in lines[3:7]] == ["eastus", "swedencentral", "japaneast", "all spot nodes"]
    assert sum(line[:2].isdigit() for line in lines) == 24


def test_json_keeps_to_its_schema(world: Gpufleet) -> None:
    document = world("outlook", "world", "--format", "json").document
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert set(document) == set(SCHEMA["properties"])


def test_csv_is_the_day(world: Gpufleet) -> None:
    rows = [line.split(",") for line in world("outlook", "world", "--format", "csv").out.splitlines()]
    assert [row[0] for row in rows] == ["hour (UTC)", *(f"{hour:02}" for hour in range(24))]
    assert {len(row) for row in rows} == {8}


def test_a_quota_that_is_too_small_is_said(world: Gpufleet) -> None:
    found = world("outlook", "world", "--quota", "swedencentral:StandardNCadsH100v5Family=10")
    assert "10 TOO SMALL" in found.out
    wrong = world("outlook", "world", "--quota", "nowhere:total=1")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--quota nowhere:total=1: no Azure region nowhere" in wrong.err


def test_without_models_there_is_nothing_to_look_ahead_to(gpufleet: Gpufleet) -> None:
    gpufleet.stack("empty", yaml.safe_dump({"config": {"gpufleet:environment": value(models=[])}}))
    found = gpufleet("outlook", "empty")
    assert found.code == 2
    assert "stacks/Pulumi.empty.yaml: empty has no inference.models, so there is nothing to look ahead to" in found.err

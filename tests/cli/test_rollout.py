"""`gpufleet rollout status`, as people and programs read it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from gpufleet.rollout.journal import Stage, Status
from tests.cli.command_line import Gpufleet
from tests.rollout.platforms import BEGAN, journal

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "rollout.v1.json").read_text(encoding="utf-8"))


def test_where_a_roll_out_stands(gpufleet: Gpufleet, tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    under_way = journal("eastus", "swedencentral").at("eastus", Stage.BAKING, now=BEGAN, note="until 08:30")
    file.write_text(under_way.text, encoding="utf-8")
    found = gpufleet("rollout", "status", "prod", "--journal", file)
    assert found.code == 0
    assert [line.split() for line in found.out.splitlines()] == [
        ["REGION", "STAGE", "NOTE"],
        ["eastus", "baking", "until", "08:30"],
        ["swedencentral", "waiting", "-"],
    ]
    assert "prod: running" in found.err

    document = gpufleet("rollout", "status", "prod", "--journal", file, "--format", "json").document
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document == {
        "schemaVersion": 1,
        "kind": "rollout",
        "environment": "prod",
        "sandbox": True,
        "status": "running",
        "changes": [{"model": "chat", "key": "image", "old": "old", "new": "new"}],
        "regions": [
            {"name": "eastus", "stage": "baking", "since": BEGAN.isoformat(), "note": "until 08:30"},
            {"name": "swedencentral", "stage": "waiting", "since": None, "note": ""},
        ],
    }
    assert set(document) == set(SCHEMA["properties"])


def test_without_a_roll_out_there_is_no_status(gpufleet: Gpufleet, tmp_path: Path) -> None:
    found = gpufleet("rollout", "status", "prod", "--journal", tmp_path / "none.json", "--format", "json")
    assert (found.code, found.document["status"]) == (0, "none")
    assert "prod: there was no roll-out" in found.err
    jsonschema.Draft202012Validator(SCHEMA).validate(found.document)


def test_the_schema_knows_every_stage_and_status() -> None:
    properties = SCHEMA["properties"]
    assert set(properties["status"]["enum"]) == {"none", *Status}
    assert set(properties["regions"]["items"]["properties"]["stage"]["enum"]) == set(Stage)

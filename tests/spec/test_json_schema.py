from __future__ import annotations

import json
import pathlib
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from gpufleet.spec.json_schema import stack_file_schema
from tests.spec.environments import DATA, POOL, changed

STACKS = pathlib.Path(__file__).parents[2] / "stacks"
FILES = sorted(STACKS.glob("Pulumi.*.yaml"))


def _valid(value: object) -> bool:
    return bool(jsonschema.Draft202012Validator(stack_file_schema()).is_valid(value))


def _stack(environment: dict[str, Any]) -> dict[str, Any]:
    return {"config": {"gpufleet:environment": environment}}


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(stack_file_schema())


def test_the_committed_schema_is_current() -> None:
    # `gpufleet schema --output stacks/schema.json` writes it.
    assert json.loads((STACKS / "schema.json").read_text()) == json.loads(json.dumps(stack_file_schema()))


def test_every_key_is_described() -> None:
    definitions: Any = stack_file_schema()["$defs"]
    assert [
        (name, key)
        for name, definition in definitions.items()
        for key, value in definition.get("properties", {}).items()
        if not value["description"]
    ] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_stack_files_are_valid(file: pathlib.Path) -> None:
    # As an editor reads them: dates are text in JSON.
    value = json.loads(json.dumps(YAML(typ="safe", pure=True).load(file.read_text()), default=str))
    assert list(jsonschema.Draft202012Validator(stack_file_schema()).iter_errors(value)) == []
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({(*POOL, "nodes"): 3}, True),
        ({(*POOL, "nodes"): "3"}, False),
        ({(*POOL, "nodes"): {"min": 1}}, False),
        ({(*POOL, "zone"): "1"}, False),
        ({(*POOL, "zones"): [1]}, True),
        ({(*POOL, "zones"): [4]}, False),
        ({(*DATA, "upgrade"): {"maxSurge": 1}}, True),
        ({("class",): "prod"}, False),
        ({("budget", "monthlyUsd"): 0}, False),
    ],
)
def test_what_an_editor_marks(changes: dict[Any, object], valid: bool) -> None:
    assert _valid(_stack(changed(changes))) == valid


def test_unknown_keys_of_the_file_are_marked() -> None:
    assert not _valid({**_stack(changed({})), "confg": {}})
    assert not _valid({"config": {}})

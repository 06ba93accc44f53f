from __future__ import annotations

import json
import math
from pathlib import Path

import jsonschema
import pytest

from gpufleet.engine.project import ROOT, stack_files
from gpufleet.errors import ConfigurationError
from policies import configuration
from policies.catalogue import rule, rules
from policies.configuration_schema import schema
from policies.rule import Enforcement

SCHEMA = ROOT / "docs" / "schemas" / "policy-config.v1.json"


def test_the_schema_for_editors_is_the_rules_own() -> None:
    """`python -m tests.policies.write_schema` writes it anew."""
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(schema(rules())))


@pytest.mark.parametrize("environment", stack_files(ROOT))
def test_a_committed_configuration_is_right(environment: str) -> None:
    configuration.load(environment, rules())
    path = configuration.FOLDER / f"{environment}.json"
    if path.is_file():
        jsonschema.validate(json.loads(path.read_text()), json.loads(SCHEMA.read_text()))


def test_a_level_and_settings_are_taken_and_the_rest_keeps_its_defaults() -> None:
    found = configuration.parse(
        {"SCALE002": {"enforcementLevel": "advisory", "maxNodes": 300}, "SCALE003": "disabled"}, rules(), "x"
    )
    assert found["SCALE002"].settings.model_dump() == {"max_nodes": 300, "max_raised_nodes": 300}
    assert found["SCALE002"].enforcement is Enforcement.ADVISORY
    assert found["SCALE003"].enforcement is Enforcement.DISABLED
    cost002 = rule("COST002")
    assert cost002 is not None
    assert found["COST002"].enforcement is cost002.enforcement


def test_all_sets_what_has_no_level_of_its_own() -> None:
    found = configuration.parse({"all": "advisory", "SCALE002": "mandatory"}, rules(), "x")
    levels = {id_: one.enforcement for id_, one in found.items()}
    assert levels.pop("SCALE002") is Enforcement.MANDATORY
    assert set(levels.values()) == {Enforcement.ADVISORY}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "x is no JSON object"),
        ({"SCALE02": "disabled"}, "x: there is no rule SCALE02"),
        ({"SCALE002": "off"}, "x: SCALE002: 'off' is no enforcement level"),
        ({"SCALE002": None}, "x: SCALE002 is neither a level nor a mapping"),
        ({"SCALE002": ["mandatory"]}, "x: SCALE002 is neither a level nor a mapping"),
        ({"SCALE002": {"maxNodes": 300}}, "x: SCALE002 has no enforcementLevel"),
        ({"SCALE002": {"enforcementLevel": "mandatory", "maxNode": 3}}, "x: SCALE002.maxNode: Extra inputs"),
        (
            {"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": "300"}},
            'x: SCALE002.maxNodes: Input should be a number, not "300"',
        ),
        (
            {"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": True}},
            "x: SCALE002.maxNodes: Input should be a number, not true",
        ),
        (
            {"COST011": {"enforcementLevel": "mandatory", "maxUsdPerHour": math.nan}},
            "x: COST011.maxUsdPerHour: Input should be a finite number",
        ),
        (
            {"COST011": {"enforcementLevel": "mandatory", "maxUsdPerHour": math.inf}},
            "x: COST011.maxUsdPerHour: Input should be a finite number",
        ),
        ({"all": {"enforcementLevel": "mandatory", "maxNodes": 3}}, "x: all.maxNodes: there is no such key"),
        ({"inputs": {"enforcementLevel": "mandatory", "x": 3}}, "x: inputs.x: there is no such key"),
        ({"undecided": "never"}, "x: undecided: 'never' is no enforcement level"),
        ({"all": "loud"}, "x: all: 'loud' is no enforcement level"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configuration.parse(content, rules(), "x")
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "can't be read"), ('{"all": "advisory", "all": "mandatory"}', "all is there twice")],
)
def test_a_damaged_file_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        configuration.load("dev", rules(), tmp_path)


def test_an_environment_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    found = configuration.load("dev", rules(), tmp_path)
    assert {id_: one.enforcement for id_, one in found.items()} == {one.id: one.enforcement for one in rules()}

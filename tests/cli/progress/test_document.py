"""The JSON of a run keeps its schema, whatever happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gpufleet.cli.progress.diagnostics import problems
from gpufleet.cli.progress.document import Document, Outcome
from tests.recordings.streams import NAMES, recorded

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schemas/run.v1.json").read_text(encoding="utf-8"))


def document(name: str) -> dict[str, object]:
    recording = recorded(name)
    model = recording.model()
    body = Document(
        command="up",
        environment="dev",
        sandbox=True,
        outcome=Outcome.SUCCEEDED,
        exit_code=0,
        seconds=1.2345,
        model=model,
        changes=recording.reader.changes,
        outputs=recording.reader.outputs,
        problems=problems(model),
        engine={"version": "3.250.0", "source": "built"},
    ).body()
    return {"schemaVersion": 1, "kind": "run", **body}


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_run_fits_the_schema(name: str) -> None:
    written = json.loads(json.dumps(document(name)))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(written)] == []


def test_a_run_that_ended_before_the_engine_fits_too() -> None:
    body = Document(
        command="up", environment="dev", sandbox=False, outcome=Outcome.FAILED, exit_code=3, seconds=0.01
    ).body()
    Draft202012Validator(SCHEMA).validate({"schemaVersion": 1, "kind": "run", **body})
    assert (body["engine"], body["resources"], body["durationSeconds"]) == (None, [], 0.01)


def test_a_change_has_both_values_and_secrets_stay_secret() -> None:
    resources = document("preview_update")["resources"]
    assert isinstance(resources, list)
    pools = [resource for resource in resources if resource["op"] == "update"]
    assert sorted(pool["component"] for pool in pools) == ["dev/frontier/h100", "dev/frontier/h100b"]
    assert pools[0]["diff"] == [{"path": "maxCount", "kind": "update", "replaces": False, "old": 4, "new": 8}]
    assert "hush" not in json.dumps(document("fail"))
    assert document("fail")["outputs"] == {"cluster": "/subscriptions/0/aks-dev-frontier", "kubeconfig": "[secret]"}

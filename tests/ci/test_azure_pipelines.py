"""The Azure Pipelines templates: the published schema, and what it doesn't ask for."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from tests.ci.azure_pipelines import TEMPLATES, expanded, jobs, read, scripts

_REASONS = ["PullRequest", "Schedule", "IndividualCI"]


@pytest.fixture(scope="module")
def schema() -> jsonschema.protocols.Validator:
    """Microsoft's schema (microsoft/azure-pipelines-vscode: service-schema.json), as check-jsonschema ships it.

    It asks for text nearly everywhere, since that is what the service sees, and for booleans in a few tasks.
    """
    text = (resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "azure-pipelines.json").read_text()
    basis = jsonschema.Draft7Validator
    types = basis.TYPE_CHECKER.redefine("boolean", lambda _, value: value in {"true", "false"})
    validator: jsonschema.protocols.Validator = jsonschema.validators.extend(basis, type_checker=types)(  # type: ignore[no-untyped-call]
        json.loads(text)
    )
    return validator


@pytest.mark.parametrize("reason", _REASONS)
def test_the_example_is_a_pipeline(schema: jsonschema.protocols.Validator, reason: str):
    assert schema.is_valid(expanded("azure-pipelines.yml", reason=reason))


def test_the_schema_finds_what_is_wrong(schema: jsonschema.protocols.Validator):
    pipeline = expanded("azure-pipelines.yml", reason="Schedule")
    step = pipeline["stages"][0]["jobs"][0]["steps"][-1]
    assert step["task"] == "PublishBuildArtifacts@1"
    step["inputs"]["ArtefactName"] = step["inputs"].pop("ArtifactName")
    assert not schema.is_valid(pipeline)


@pytest.mark.parametrize(
    ("reason", "stages"),
    [
        ("PullRequest", ["check", "preview_dev", "preview_prod", "comment"]),
        ("Schedule", ["waivers", "drift_dev", "drift_prod"]),
        ("IndividualCI", ["preview_dev", "up_dev", "preview_prod", "up_prod"]),
    ],
)
def test_the_stages(reason: str, stages: list[str]):
    pipeline = expanded("azure-pipelines.yml", reason=reason)
    assert list(jobs(pipeline)) == stages


def _every_stage() -> list[dict[str, Any]]:
    return [stage for reason in _REASONS for stage in expanded("azure-pipelines.yml", reason=reason)["stages"]]


def test_what_waits_for_what():
    waits = {stage["stage"]: stage.get("dependsOn") for stage in _every_stage()}
    assert waits == {
        "check": [],
        "preview_dev": "check",
        "preview_prod": "check",
        "comment": ["check", "preview_dev", "preview_prod"],
        "waivers": [],
        "drift_dev": [],
        "drift_prod": [],
    } | {"preview_dev": [], "up_dev": "preview_dev", "preview_prod": ["up_dev"], "up_prod": "preview_prod"}


def test_only_up_may_change_azure_and_it_waits_for_its_environment():
    for stage in _every_stage():
        (job,) = stage["jobs"]
        steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
        connections = {step["inputs"]["azureSubscription"] for step in steps if step.get("task") == "AzureCLI@2"}
        if stage["stage"].startswith("up_"):
            environment = stage["stage"].removeprefix("up_")
            assert (job["environment"], connections) == (environment, {f"gpufleet-{environment}"})
            assert stage["lockBehavior"] == "runLatest"
        else:
            assert ("deployment" in job, [one for one in connections if not one.endswith("-preview")]) == (False, [])


def test_the_check_signs_in_nowhere_and_a_fork_gets_it_alone():
    stages = {stage["stage"]: stage for stage in expanded("azure-pipelines.yml", reason="PullRequest")["stages"]}
    fork = "ne(variables['System.PullRequest.IsFork'], 'True')"
    assert {name: fork in stage.get("condition", "") for name, stage in stages.items()} == {
        "check": False,
        "preview_dev": True,
        "preview_prod": True,
        "comment": True,
    }
    assert [step for step in jobs({"stages": [stages["check"]]})["check"] if step.get("task") == "AzureCLI@2"] == []


def test_every_job_has_a_timeout_and_leaves_no_token_behind():
    for stage in _every_stage():
        (job,) = stage["jobs"]
        assert int(job["timeoutInMinutes"]) <= 300
        for steps in jobs({"stages": [stage]}).values():
            checkouts = [step for step in steps if "checkout" in step]
            assert [step["persistCredentials"] for step in checkouts] == ["false"]


def test_artifacts_are_kept_when_a_job_fails():
    publish = [
        step
        for stage in _every_stage()
        for steps in jobs({"stages": [stage]}).values()
        for step in steps
        if str(step.get("task", "")).startswith("Publish")
    ]
    assert len(publish) == 11
    assert {step["condition"] for step in publish} == {"always()"}


def test_no_macro_and_no_expression_stands_in_a_script():
    found = [script for reason in _REASONS for script in scripts(expanded("azure-pipelines.yml", reason=reason))]
    assert len(found) >= 15
    assert [script for script in found if "$(" in script or "${{" in script] == []
    assert [path.name for path in TEMPLATES if "secret" in path.read_text().casefold().replace("no secrets", "")] == []
    assert [one for path in TEMPLATES for one in read(path.name).get("parameters", ()) if "type" not in one] == []

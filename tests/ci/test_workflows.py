"""The GitHub workflows: two linters, and what neither of them asks for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gpufleet.engine.project import ROOT
from tests.ci.github_actions import FOLDER, WORKFLOWS, action, workflow
from tools import workflow_linter

_FILES = [path.name for path in WORKFLOWS]


def _jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, job, found) for name in _FILES for job, found in workflow(name)["jobs"].items()]


def _texts() -> list[str]:
    return [path.read_text() for path in [*WORKFLOWS, *FOLDER.glob("actions/*/action.yml")]]


def test_there_is_a_caller_and_what_it_calls():
    assert _FILES == ["gpufleet-deploy.yml", "gpufleet-nightly.yml", "gpufleet-pull-request.yml", "gpufleet.yml"]
    called = {job["uses"] for job in workflow("gpufleet.yml")["jobs"].values()}
    assert called == {f"./.github/workflows/{name}" for name in _FILES if name != "gpufleet.yml"}


def test_actionlint_has_nothing_to_say(tmp_path: Path):
    # Without shellcheck, which it takes when it happens to be on PATH: the same verdict everywhere.
    command: list[str | Path] = [workflow_linter.actionlint(), "-shellcheck=", "-pyflakes="]
    assert _output([*command, *WORKFLOWS]) == (0, "")
    broken = tmp_path / "broken.yml"
    broken.write_text(
        (FOLDER / "workflows" / "gpufleet.yml").read_text().replace("runs-on", "runs_on") + "    runs: on\n"
    )
    assert _output([*command, broken])[0] == 1


def test_zizmor_has_nothing_to_say(tmp_path: Path):
    command: list[str | Path] = [
        Path(sys.prefix) / "bin" / "zizmor",
        "--offline",
        "--quiet",
        "--no-progress",
        "--format",
        "plain",
    ]
    assert _output([*command, FOLDER])[0] == 0, _output([*command, FOLDER])[1]
    broken = tmp_path / "broken.yml"
    broken.write_text(
        (FOLDER / "workflows" / "gpufleet.yml").read_text().replace("pull_request:", "pull_request_target:", 1)
    )
    assert _output([*command, broken])[0] != 0


def _output(command: Sequence[str | Path]) -> tuple[int, str]:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def test_every_action_is_pinned_to_a_commit_and_says_its_version():
    uses = [line for text in _texts() for line in text.splitlines() if "uses:" in line and "./" not in line]
    assert len(uses) >= 20
    pinned = re.compile(r"uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
    assert [line for line in uses if not pinned.search(line)] == []
    # One version of each, so that a newer one is taken everywhere at once.
    pins = {line.partition("uses: ")[2] for line in uses}
    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


def test_no_expression_stands_in_a_script():
    steps = [step for _, _, job in _jobs() for step in job.get("steps", ())] + action("set-up")["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) >= 10
    assert [script for script in scripts if "${{" in script] == []


def test_every_job_that_runs_has_a_timeout_and_every_job_its_own_permissions():
    assert [(name, job) for name, job, found in _jobs() if "uses" not in found and "timeout-minutes" not in found] == []
    assert [(name, job) for name, job, found in _jobs() if "permissions" not in found] == []
    assert [name for name in _FILES if workflow(name)["permissions"] != {}] == []


def test_what_each_job_may_do():
    granted = {
        (name.removeprefix("gpufleet-").removesuffix(".yml"), job): sorted(set(found["permissions"]) - {"contents"})
        for name, job, found in _jobs()
        if "uses" not in found
    }
    assert granted == {
        ("pull-request", "check"): [],
        ("pull-request", "preview"): ["id-token"],
        ("pull-request", "comment"): ["pull-requests"],
        ("pull-request", "code-scanning"): ["security-events"],
        ("deploy", "preview"): ["id-token"],
        ("deploy", "up"): ["id-token"],
        ("nightly", "waivers"): [],
        ("nightly", "drift"): ["id-token"],
    }
    assert {found["permissions"]["contents"] for _, _, found in _jobs()} == {"read"}


def test_no_secret_is_named_anywhere():
    assert [
        text for text in _texts() if re.search(r"secrets\.|secrets\[|secrets: inherit|^ +secrets:", text, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("job", ["preview", "comment", "code-scanning"])
def test_a_fork_gets_the_check_alone(job: str):
    jobs = workflow("gpufleet-pull-request.yml")["jobs"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in jobs[job]["if"]
    assert "if" not in jobs["check"]


def test_what_may_change_azure_waits_for_its_environment_and_for_its_turn():
    up = workflow("gpufleet-deploy.yml")["jobs"]["up"]
    assert (up["environment"], up["needs"]) == ("${{ inputs.environment }}", "preview")
    assert up["concurrency"] == {"group": "gpufleet-${{ inputs.environment }}", "cancel-in-progress": False}
    others = [
        found.get("environment", "-preview")
        for name, job, found in _jobs()
        if (name, job) != ("gpufleet-deploy.yml", "up")
    ]
    assert [one for one in others if not one.endswith("-preview")] == []


def test_artifacts_are_kept_when_a_job_fails():
    uploads = [
        step for _, _, job in _jobs() for step in job.get("steps", ()) if "upload-artifact" in step.get("uses", "")
    ]
    assert len(uploads) == 6
    assert {step.get("if") for step in uploads} == {"always()"}


def test_the_check_sees_the_whole_history():
    first = workflow("gpufleet-pull-request.yml")["jobs"]["check"]["steps"][0]
    assert first["with"] == {"fetch-depth": 0, "persist-credentials": False}

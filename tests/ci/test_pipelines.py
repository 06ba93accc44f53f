"""Every command of both pipelines, run as it stands: a pull request, its deployment, the night after.

The sandbox stands for Azure, a server of ours for the comments' API; nothing else is replaced but the making of .venv.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpufleet.errors import ExitCode
from tests.ci import azure_pipelines, github_actions
from tests.ci.agent import Agent, Step
from tests.ci.checkout import Checkout, checkout, merged
from tests.ci.comments_api import TOKEN, CommentsApi, comments_api
from tools.pull_request_comment import MARKER, MOST_BYTES

pytestmark = pytest.mark.engine

_STACK = "stacks/Pulumi.dev.yaml"
_POOL = "{ name: h100, sku: Standard_ND96isr_H100_v5, nodes: %s, usage: { utilizationPercent: 60 } }"
_REPORTS = {"check.md", "check.json", "check.sarif", "check.xml", "check.html"}


@dataclass(frozen=True, kw_only=True)
class Pipelines:
    """The pipelines of one CI system.

    Attributes:
        jobs: their steps, by a name that both systems share.
        scripts: every script of their files.
        environment: what the system sets for each job of a pull request.
    """

    jobs: dict[str, list[Step]]
    scripts: set[str]
    environment: dict[str, str]
    comments: Callable[[CommentsApi], list[str]]


def _github(folder: Path) -> Pipelines:
    values: Mapping[str, str] = {
        "github.base_ref": "main",
        "github.event.pull_request.number": "7",
        "github.token": TOKEN,
        "inputs.environment": "dev",
        "inputs.sandbox": "true",
        "inputs.sandbox && '1' || ''": "1",
        "matrix.environment": "dev",
        **{f"vars.{name}": "" for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")},
        "vars.PULUMI_BACKEND_URL": "",
    }
    files = {
        "gpufleet-pull-request.yml": {key: key for key in ("check", "preview", "comment", "code-scanning")},
        "gpufleet-deploy.yml": {"preview": "deploy", "up": "up"},
        "gpufleet-nightly.yml": {"waivers": "waivers", "drift": "drift"},
    }
    set_up = [step["run"] for step in github_actions.action("set-up")["runs"]["steps"] if "run" in step]
    return Pipelines(
        jobs={
            ours: github_actions.job_steps(file, job, values)
            for file, jobs in files.items()
            for job, ours in jobs.items()
        },
        scripts={
            *set_up,
            *(script for path in github_actions.WORKFLOWS for script in github_actions.scripts(path.name)),
        },
        environment={"GITHUB_STEP_SUMMARY": str(folder / "summary.md")},
        comments=lambda api: [one["body"] for one in api.comments],
    )


def _azure_devops(_folder: Path) -> Pipelines:
    environments = [{"name": "dev", "previewConnection": "reads"}]
    pull_request = azure_pipelines.expanded("pull-request.yml", {"environments": environments})
    nightly = azure_pipelines.expanded("nightly.yml", {"environments": environments})
    deploy = azure_pipelines.expanded(
        "deploy.yml", {"environment": "dev", "previewConnection": "reads", "connection": "writes"}
    )
    names = {"preview_dev": "preview", "drift_dev": "drift", "up_dev": "up"}
    stages = {**azure_pipelines.jobs(pull_request), **azure_pipelines.jobs(nightly)}
    stages |= {"deploy": azure_pipelines.jobs(deploy)["preview_dev"], "up": azure_pipelines.jobs(deploy)["up_dev"]}
    macros = {"System.AccessToken": TOKEN, "System.DefaultWorkingDirectory": "."}
    return Pipelines(
        jobs={names.get(name, name): azure_pipelines.job_steps(steps, macros) for name, steps in stages.items()},
        scripts={script for one in (pull_request, nightly, deploy) for script in azure_pipelines.scripts(one)},
        # The agent sets the first; the second is a variable of the pipeline.
        environment={"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main", "SANDBOX": "1"},
        comments=lambda api: [thread["comments"][0]["content"] for thread in api.threads],
    )


@pytest.fixture
def api() -> Iterator[CommentsApi]:
    with comments_api() as found:
        yield found


@pytest.fixture
def fleet(tmp_path: Path) -> Checkout:
    """`main` has a pool of at most 4 nodes and a budget for them; a branch for the change is checked out."""
    (tmp_path / "checkout").mkdir()
    made = checkout(tmp_path / "checkout")
    made.edit(_STACK, _POOL % "2", _POOL % "{ min: 1, max: 4 }")
    made.edit(_STACK, "monthlyUsd: 165000", "monthlyUsd: 310000")
    made.edit("policies/config/dev.json", '"maxGpus": 24', '"maxGpus": 100')
    made.commit()
    merged(made)
    made.git("checkout", "-q", "-b", "change")
    return made


@pytest.mark.soak  # a minute or two of processes each
@pytest.mark.parametrize("system", [_github, _azure_devops])
def test_a_pool_grows_from_4_to_8(
    system: Callable[[Path], Pipelines], fleet: Checkout, api: CommentsApi, tmp_path: Path
) -> None:
    pipelines = system(tmp_path)
    fleet.environment |= {"CI": "true", **api.environment, **pipelines.environment}
    agent = Agent(checkout=fleet, artifacts=tmp_path / "artifacts")

    # The pool grows, the budget doesn't: the check fails, and its reports are there all the same.
    fleet.edit(
        _STACK,
        "{ min: 1, max: 4 }, usage: { utilizationPercent: 60 }",
        "{ min: 1, max: 8 }, usage: { utilizationPercent: 60 }",
    )
    fleet.commit()
    assert agent.run(pipelines.jobs["check"]) == ExitCode.POLICY, agent.said
    assert {path.name for path in (agent.artifacts / "check").iterdir()} == _REPORTS, agent.said
    (report,) = json.loads((agent.artifacts / "check" / "check.json").read_text())
    assert report["comparison"]["base"].startswith("origin/main (")
    errors = {one["rule"]: one["since"] for one in report["findings"] if one["severity"] == "error"}
    assert errors == {"COST002": "new"}
    assert "COST002" in agent.said
    assert agent.run(pipelines.jobs["comment"]) == 0, agent.said
    if "code-scanning" in pipelines.jobs:
        assert agent.run(pipelines.jobs["code-scanning"]) == 0
    (first,) = pipelines.comments(api)
    assert first.startswith(f"{MARKER}\n")
    assert "COST002" in first

    # With the budget for it, it passes, and the comment is written again in place.
    fleet.edit(_STACK, "monthlyUsd: 310000", "monthlyUsd: 600000")
    fleet.commit()
    assert agent.run(pipelines.jobs["check"]) == 0, agent.said
    assert agent.run(pipelines.jobs["preview"]) == 0, agent.said
    assert agent.run(pipelines.jobs["comment"]) == 0, agent.said
    (second,) = pipelines.comments(api)
    assert second.startswith(f"{MARKER}\n")
    assert "<summary>Preview of dev</summary>" in second
    assert "AgentPool" in second.partition("<summary>Preview of dev</summary>")[2]
    assert len(second.encode()) < MOST_BYTES

    # Merged: what the preview showed is approved, and done.
    merged(fleet)
    assert agent.run(pipelines.jobs["deploy"]) == 0, agent.said
    assert agent.run(pipelines.jobs["up"]) == 0, agent.said
    assert _pool_max(fleet) == 8

    # At night nothing differs, until somebody edits the cloud by hand.
    assert agent.run(pipelines.jobs["waivers"]) == 0, agent.said
    assert agent.run(pipelines.jobs["drift"]) == 0, agent.said
    _gpufleet(fleet, "sandbox", "edit", "aks-dev-lab", "tags.owner=somebody")
    assert agent.run(pipelines.jobs["drift"]) == ExitCode.UNEXPECTED_CHANGES, agent.said
    drift = (agent.artifacts / next(one.name for one in agent.artifacts.glob("drift*")) / "drift.txt").read_text()
    assert "ManagedCluster" in drift

    assert set(agent.ran) == pipelines.scripts


def _pool_max(fleet: Checkout) -> int:
    listed = json.loads(
        _gpufleet(fleet, "sandbox", "list", "--type", "AgentPool", "--name", "h100*", "--format", "json")
    )
    (pool,) = listed["resources"]
    shown = json.loads(_gpufleet(fleet, "sandbox", "show", pool["name"], "--format", "json"))
    return int(shown["properties"]["maxCount"])


def _gpufleet(fleet: Checkout, *arguments: str) -> str:
    done = fleet.run(".venv/bin/gpufleet", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout

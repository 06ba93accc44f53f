"""Reads the workflows of `.github` into steps that `agent.Agent` runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gpufleet.engine.project import ROOT
from tests.ci.agent import Step

FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
# GitHub's own: `shell: bash` means these options (GitHub docs: workflow syntax, defaults.run.shell).
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


def workflow(name: str) -> dict[str, Any]:
    """A workflow, as YAML has it."""
    return _read(FOLDER / "workflows" / name)


def action(name: str) -> dict[str, Any]:
    """A composite action of this repository."""
    return _read(FOLDER / "actions" / name / "action.yml")


def _read(path: Path) -> dict[str, Any]:
    # PyYAML reads the key `on` as true, which nothing here looks at.
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def job_steps(name: str, job: str, values: Mapping[str, str]) -> list[Step]:
    """The steps of a job.

    Args:
        name: of the workflow's file.
        job: its key.
        values: of every expression in what is run; one that isn't here is an error.
    """
    return [
        step
        for raw in workflow(name)["jobs"][job]["steps"]
        for step in _steps(raw, values)
        if _without_login(raw, values)
    ]


def _without_login(raw: dict[str, Any], values: Mapping[str, str]) -> bool:
    return not str(raw.get("uses", "")).startswith("azure/login@") or values["inputs.sandbox"] == "false"


def _steps(raw: dict[str, Any], values: Mapping[str, str]) -> list[Step]:
    uses, given = str(raw.get("uses", "")), raw.get("with", {})
    always = raw.get("if") == "always()"
    action_name = uses.partition("@")[0]
    if "run" in raw:
        environment = {key: filled(value, values) for key, value in raw.get("env", {}).items()}
        return [
            Step(
                name=raw.get("name", ""),
                kind="script",
                script=raw["run"],
                shell=_BASH,
                environment=environment,
                always=always,
            )
        ]
    match action_name:
        case "actions/upload-artifact":
            return [
                Step(
                    name=uses, kind="upload", artifact=filled(given["name"], values), path=given["path"], always=always
                )
            ]
        case "actions/download-artifact":
            return [
                Step(name=uses, kind="download", artifact=filled(given.get("name", ""), values), path=given["path"])
            ]
        case "github/codeql-action/upload-sarif":
            return [Step(name=uses, kind="file", path=given["sarif_file"])]
        case "./.github/actions/set-up":
            engine = str(given.get("engine", "false")) == "true"
            inner = {"inputs.engine == 'true' && 'engine' || 'setup'": "engine" if engine else "setup"}
            return [step for one in action("set-up")["runs"]["steps"] for step in _steps(one, inner)]
        case "actions/checkout" | "actions/setup-python" | "azure/login":
            return []
        case _:
            raise AssertionError(f"a step that nobody has taught the tests: {raw}")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its expressions replaced."""
    return _EXPRESSION.sub(lambda found: values[found[1]], text)


def scripts(name: str) -> list[str]:
    """Every `run` of a workflow."""
    jobs = workflow(name)["jobs"].values()
    return [step["run"] for job in jobs for step in job.get("steps", ()) if "run" in step]

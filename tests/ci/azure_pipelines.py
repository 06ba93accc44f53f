"""Expands the templates of `azure-pipelines` as the service does, and reads their jobs into steps for `agent.Agent`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from gpufleet.engine.project import ROOT
from tests.ci.agent import Step

FOLDER = ROOT / "azure-pipelines"
TEMPLATES = sorted(FOLDER.glob("*.yml"))
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_EACH = re.compile(r"\$\{\{ each (\w+) in ([\w.]+) \}\}")
_CONDITION = re.compile(r"\$\{\{ (?:if|elseif) (.+) \}\}")
_REASON = re.compile(r"eq\(variables\['Build\.Reason'\], '(\w+)'\)")

Value = Any


def read(name: str) -> dict[str, Value]:
    """A template with every scalar as text, which is how the service sees them."""
    found: dict[str, Value] = yaml.load((FOLDER / name).read_text(), Loader=yaml.BaseLoader)
    return found


def expanded(name: str, given: Mapping[str, Value] | None = None, *, reason: str = "") -> dict[str, Value]:
    """A template as it is after the service has filled it in.

    Args:
        name: of the file.
        given: its parameters.
        reason: `Build.Reason`.
    """
    template = read(name)
    parameters = {one["name"]: one["default"] for one in template.pop("parameters", ()) if "default" in one}
    scope = {"parameters": {**parameters, **(given or {})}, "reason": reason}
    found: dict[str, Value] = _expand(template, scope)
    return found


def _expand(value: Value, scope: Mapping[str, Value]) -> Value:
    if isinstance(value, list):
        return _items(value, scope)
    if isinstance(value, dict):
        return {_text(key, scope): _expand(one, scope) for key, one in value.items()}
    return _text(value, scope)


def _items(items: list[Value], scope: Mapping[str, Value]) -> list[Value]:
    made: list[Value] = []
    decided = False
    for item in items:
        key = next(iter(item)) if isinstance(item, dict) and len(item) == 1 else ""
        if each := _EACH.fullmatch(key):
            for one in _lookup(each[2], scope):
                made += _items(item[key], {**scope, each[1]: one})
        elif key == "${{ else }}":
            made += [] if decided else _items(item[key], scope)
        elif condition := _CONDITION.fullmatch(key):
            holds = _holds(condition[1], scope) and not (decided and "elseif" in key)
            decided = holds or (decided and "elseif" in key)
            made += _items(item[key], scope) if holds else []
        elif isinstance(item, dict) and "template" in item:
            inner = expanded(item["template"], _expand(item.get("parameters", {}), scope), reason=scope["reason"])
            made += inner.get("stages") or inner["steps"]
        else:
            made.append(_expand(item, scope))
    return made


def _holds(condition: str, scope: Mapping[str, Value]) -> bool:
    if reason := _REASON.fullmatch(condition):
        return bool(scope["reason"] == reason[1])
    return bool(_lookup(condition, scope) == "true")


def _text(text: str, scope: Mapping[str, Value]) -> Value:
    if whole := _EXPRESSION.fullmatch(text):
        return _lookup(whole[1], scope)
    return _EXPRESSION.sub(lambda found: str(_lookup(found[1], scope)), text)


def _lookup(path: str, scope: Mapping[str, Value]) -> Value:
    value: Value = scope
    for part in path.split("."):
        value = value[part]
    return value


def jobs(pipeline: Mapping[str, Value]) -> dict[str, list[dict[str, Value]]]:
    """Each stage's steps; every stage here has one job."""
    found = {}
    for stage in pipeline["stages"]:
        (job,) = stage["jobs"]
        found[stage["stage"]] = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    return found


def job_steps(raw_steps: list[dict[str, Value]], macros: Mapping[str, str]) -> list[Step]:
    """A job's steps.

    Args:
        raw_steps: as `jobs` has them.
        macros: values of `$(…)`.
    """
    return [step for raw in raw_steps for step in _steps(raw, macros)]


def _steps(raw: dict[str, Value], macros: Mapping[str, str]) -> list[Step]:
    always = raw.get("condition") == "always()"
    name = raw.get("displayName", "")
    given = raw.get("inputs", {})
    environment = {key: _with_macros(value, macros) for key, value in raw.get("env", {}).items()}
    script = raw.get("bash") or given.get("inlineScript")
    if script:
        return [Step(name=name, kind="script", script=script, environment=environment, always=always)]
    match raw.get("task"):
        case "PublishBuildArtifacts@1":
            path = given["PathtoPublish"]
            return [Step(name=name, kind="upload", artifact=given["ArtifactName"], path=path, always=always)]
        case "DownloadBuildArtifacts@1":
            artifact = given.get("artifactName", "")
            return [
                Step(
                    name=name,
                    kind="download",
                    artifact=artifact,
                    path=_with_macros(given["downloadPath"], macros),
                    apart=True,
                )
            ]
        case "PublishTestResults@2":
            return [Step(name=name, kind="file", path=given["testResultsFiles"], always=always)]
        case "UsePythonVersion@0":
            return []
        case None if "checkout" in raw:
            return []
        case _:
            raise AssertionError(f"a step that nobody has taught the tests: {raw}")


def _with_macros(text: str, macros: Mapping[str, str]) -> str:
    return re.sub(r"\$\((.+?)\)", lambda found: macros[found[1]], text)


def scripts(pipeline: Mapping[str, Value]) -> list[str]:
    """Every script of an expanded pipeline."""
    return [step.script for steps in jobs(pipeline).values() for step in job_steps(steps, _Anything()) if step.script]


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key

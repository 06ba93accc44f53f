from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gpufleet.cli.rollout_gate import ManyRegionsError, ServerOutlook, of_models, of_preview
from gpufleet.errors import ExitCode
from gpufleet.spec import parse_environment
from tests.spec.environments import changed

TWO = ServerOutlook(servers={"eastus": ("chat-fp8",), "swedencentral": ("chat-fp8", "code-fp8")})
NOTHING: dict[str, Any] = {"version": 3, "deployment": {"resources": []}}


def run() -> Any:  # noqa: ANN401 - stands in for a Run
    return SimpleNamespace(request=SimpleNamespace(place="prod", environment="prod", sandbox=False))


def state(*models: dict[str, object]) -> dict[str, Any]:
    """Two regions with a server each, and these models on record."""
    specification = parse_environment(changed({("inference", "models"): list(models)})).model_dump_json(
        by_alias=True, exclude_defaults=True
    )
    top = "urn:pulumi:t::gpufleet::gpufleet:environment:Environment::t"
    rows: list[dict[str, Any]] = [
        {"urn": top, "type": "gpufleet:environment:Environment", "custom": False,
         "inputs": {"specification": specification}},
    ]  # fmt: skip
    for region in ("eastus", "swedencentral"):
        parent = f"urn:pulumi:t::gpufleet::gpufleet:inference:InferenceRegion::{region}"
        labels = {"gpufleet.io/server": "chat-fp8"}
        rows += [
            {"urn": parent, "type": "gpufleet:inference:InferenceRegion", "custom": False, "parent": top},
            {"urn": f"urn:pulumi:t::gpufleet::kubernetes:apps/v1:Deployment::{region}-chat", "parent": parent,
             "type": "kubernetes:apps/v1:Deployment", "custom": True, "inputs": {"metadata": {"labels": labels}}},
        ]  # fmt: skip
    return {"version": 3, "deployment": {"resources": rows}}


def test_production_is_asked_for_more_than_yes() -> None:
    production = parse_environment(changed({("class",): "production"}))
    with pytest.raises(ManyRegionsError) as raised:
        TWO.require(run(), production, all_regions=False)
    assert raised.value.exit_code is ExitCode.UNEXPECTED_CHANGES
    assert raised.value.message == (
        "prod: this changes the model servers of 2 regions at once, so nothing was changed: eastus: chat-fp8; "
        "swedencentral: chat-fp8, code-fp8"
    )
    assert "gpufleet rollout start prod goes region by region" in raised.value.hint
    TWO.require(run(), production, all_regions=True)
    ServerOutlook(servers={"eastus": ("chat-fp8",)}).require(run(), production, all_regions=False)


def test_elsewhere_it_is_said() -> None:
    TWO.require(run(), parse_environment(changed({})), all_regions=False)
    assert [line.plain for line in TWO.lines()] == [
        "model servers: changed in 2 regions at once",
        "  eastus: chat-fp8",
        "  swedencentral: chat-fp8, code-fp8",
        "",
    ]
    assert ServerOutlook(servers={"eastus": ("chat-fp8",)}).lines() == []


def test_without_a_preview_other_models_touch_every_server() -> None:
    declared = parse_environment(changed({}))
    assert declared.inference is not None
    model = cast("dict[str, object]", changed({})["inference"]["models"][0])
    assert of_models(declared, state(model)).servers == {}
    assert of_models(declared, state({**model, "contextTokens": 8192})).servers == {
        "eastus": ["chat-fp8"],
        "swedencentral": ["chat-fp8"],
    }


def test_a_first_creation_is_no_change() -> None:
    assert of_preview(run(), NOTHING).servers == {}
    assert of_models(parse_environment(changed({})), NOTHING).servers == {}

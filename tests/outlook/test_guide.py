"""The guide says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ruamel.yaml import YAML

from gpufleet.outlook import words
from gpufleet.outlook.absorb import steps
from gpufleet.spec.budget import Budget
from gpufleet.spec.front_door import FrontDoor

_GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "inference-outlook.md").read_text(encoding="utf-8")


def test_every_column_is_explained() -> None:
    head, *columns = words.LOSS_HEAD
    assert head == "lost"
    explained = re.findall(r"^\| ([^|]+) \|", _GUIDE.split("## If this is lost")[1].split("**Enough")[0], re.MULTILINE)
    assert [name for cell in explained[1:] for name in cell.split(", ")] == columns


def test_figures_are_those_of_the_data() -> None:
    assert f"({FrontDoor().additional_latency_milliseconds})" in _GUIDE
    assert round(1 / steps()["weights, a GB"].seconds[0], 1) == 3.1
    assert steps()["spot notice"].seconds == (30, 30)
    assert steps()["GPU node"].confidence == "low"


def test_the_example_is_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", _GUIDE, re.DOTALL)
    budget = Budget.model_validate_json(_json(block))
    assert [(one.model, one.team) for one in budget.allocations] == [("chat-70b", None), (None, "search")]


def _json(block: str) -> str:
    return json.dumps(YAML(typ="safe", pure=True).load(block)["budget"], default=str)

"""Mistakes of serving, through `gpufleet up`: refused with their place and cause before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gpufleet.engine import project
from gpufleet.errors import ExitCode
from gpufleet.spec import load
from tests.cli.command_line import Gpufleet

FOLDER = Path(__file__).parent
BASE = (FOLDER / "refused_inference_base.yaml").read_text(encoding="utf-8")
CASES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "refused_inference.yaml").read_text(encoding="utf-8"))


def changed(case: dict[str, Any]) -> str:
    """The valid file with the case's mistake."""
    text = BASE
    for change in case["changes"]:
        assert text.count(change["from"]) == 1, f"{case['name']}: {change['from']!r} is not in the file just once"
        text = text.replace(change["from"], change["to"])
    return text


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_mistake_is_refused_before_anything_is_made(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\n", encoding="utf-8")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path / "sandbox"))
    monkeypatch.setenv("NO_COLOR", "1")
    gpufleet = Gpufleet(tmp_path, monkeypatch, capsys)
    gpufleet.stack("refused", changed(case))
    if case["code"] == ExitCode.POLICY:
        # What `up` asks first; it tells the rest of the findings too.
        outcome = gpufleet("check", "refused", "--format", "json")
        found = [_line(one) for one in outcome.document["findings"] if one["severity"] == "error"]
        assert [line for line in case["lines"] if line not in found] == [], found
        assert outcome.code == ExitCode.POLICY
        return
    outcome = gpufleet("up", "refused", "--sandbox", "--yes")
    assert outcome.code == case["code"]
    count = len(case["lines"])
    expected = [f"stacks/Pulumi.refused.yaml:{line}" for line in case["lines"]]
    assert outcome.err.splitlines() == [*expected, f"{count} error{'s' if count > 1 else ''}"]
    assert outcome.out == ""
    # No state, no stack, no cloud: the engine was never asked.
    assert not (tmp_path / "sandbox").exists()


def _line(finding: dict[str, Any]) -> str:
    place = finding["location"]
    said = f"{finding['rule']}: {finding['key']}: {finding['message']}. {finding['fix']}."
    return f"{place['line']}:{place['column']}: {said}"


def test_the_file_without_a_mistake_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.x.yaml").write_text(BASE, encoding="utf-8")
    loaded = load(tmp_path / "Pulumi.x.yaml")
    assert loaded.environment.inference is not None
    assert [model.name for model in loaded.environment.inference.models] == ["chat"]
    assert loaded.warnings == ()


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) == 12

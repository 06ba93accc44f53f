"""Mistakes that cost the most, through `gpufleet up`: refused with their place and cause before anything is made."""

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
BASE = (FOLDER / "refused_base.yaml").read_text(encoding="utf-8")
CASES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "refused.yaml").read_text(encoding="utf-8"))


def changed(case: dict[str, Any]) -> str:
    """The valid file with the case's mistake."""
    text = BASE
    for change in case["changes"]:
        assert text.count(change["from"]) == 1, f"{case['name']}: {change['from']!r} is not in the file just once"
        text = text.replace(change["from"], change["to"])
    return text


@pytest.fixture
def gpufleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gpufleet:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\n", encoding="utf-8")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path / "sandbox"))
    monkeypatch.setenv("NO_COLOR", "1")
    return Gpufleet(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_mistake_is_refused_before_anything_is_made(case: dict[str, Any], gpufleet: Gpufleet) -> None:
    file = gpufleet.stack("refused", changed(case))
    before = file.read_bytes()
    outcome = gpufleet("up", "refused", "--sandbox", "--yes")
    assert outcome.code == ExitCode.CONFIGURATION
    count = len(case["lines"])
    said = outcome.err.splitlines()
    assert said[-1] == f"{count} error{'s' if count > 1 else ''}"
    for line, expected in zip(said[:-1], case["lines"], strict=True):
        # A line that ends in "…" goes on with what changes with every new key.
        shown = f"{line[: line.index('Known here: ')]}Known here: …" if expected.endswith("…") else line
        assert shown == f"stacks/Pulumi.refused.yaml:{expected}"
    assert outcome.out == ""
    # No state, no stack, no cloud: the engine was never asked, and the file is as it was.
    assert sorted(path.name for path in gpufleet.folder.iterdir()) == ["Pulumi.yaml", "stacks"]
    assert file.read_bytes() == before


def test_the_file_without_a_mistake_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.x.yaml").write_text(BASE, encoding="utf-8")
    assert load(tmp_path / "Pulumi.x.yaml").environment.training[0].name == "frontier"


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) == 14

"""The check in front of `up` and `preview`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpufleet.errors import ExitCode
from tests.cli.fake_stack import Script
from tests.cli.test_commands import run


@pytest.fixture
def too_dear(checkout: Path, script: Script) -> Script:
    """dev with a budget that its ceiling does not fit."""
    file = checkout / "stacks" / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    assert "monthlyUsd: 165000" in text
    file.write_text(text.replace("monthlyUsd: 165000", "monthlyUsd: 100000"), encoding="utf-8")
    script.streams = {"preview": "preview", "up": "nochange"}
    return script


def test_a_failing_check_never_reaches_the_engine_of_up(
    too_dear: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == ExitCode.POLICY
    assert too_dear.called == []
    said = capsys.readouterr()
    assert said.out == ""
    first, finding, hint = said.err.splitlines()[-3:]
    assert first == "error: the check of dev fails"
    assert finding.startswith("  stacks/Pulumi.dev.yaml:17:19: COST002: budget.monthlyUsd: ")
    assert hint == "For all of it: gpufleet check dev"


def test_a_preview_runs_all_the_same_and_its_code_is_the_checks(
    too_dear: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved = tmp_path / "approved.json"
    assert run(monkeypatch, "preview", "dev", "--sandbox", "--save", str(saved)) == ExitCode.POLICY
    assert too_dear.called == ["preview"]
    said = capsys.readouterr()
    assert "+ 11 to create" in said.out
    assert "error: the check of dev fails\n  stacks/Pulumi.dev.yaml:17:19: COST002: " in said.err
    assert not saved.exists()


def test_its_document_says_why(
    too_dear: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "dev", "--sandbox", "--format", "json") == ExitCode.POLICY
    document = json.loads(capsys.readouterr().out)
    assert (document["result"], document["exitCode"]) == ("failed", 5)
    assert [problem["message"].splitlines()[0] for problem in document["diagnostics"]] == ["the check of dev fails"]
    assert len(document["resources"]) > 11


@pytest.mark.parametrize(("command", "called"), [("up", ["preview", "up"]), ("preview", ["preview"])])
def test_it_can_be_left_out_and_that_is_said(
    command: str,
    called: list[str],
    too_dear: Script,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    yes = ["--yes"] if command == "up" else []
    assert run(monkeypatch, command, "dev", "--sandbox", "--no-check", *yes) == 0
    assert too_dear.called == called
    assert "dev: not checked (--no-check)\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ci", "options", "code"),
    [("", [], 0), ("true", [], 10), ("", ["--strict"], 10), ("true", ["--no-strict"], 0)],
)
def test_open_questions_count_as_in_check(  # noqa: PLR0917 pytest's fixtures
    ci: str,
    options: list[str],
    code: int,
    checkout: Path,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = checkout / "stacks" / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    # No rate of that size is known: whether two nodes are enough nobody can tell.
    rate = "          tokensPerSecondPerGpu: { Standard_NC4as_T4_v3: 300 }\n"
    assert rate in text
    file.write_text(text.replace(rate, ""), encoding="utf-8")
    script.streams = {"preview": "preview", "up": "nochange"}
    monkeypatch.setenv("CI", ci)
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes", *options) == code
    strict = capsys.readouterr().err.splitlines()[-1]
    assert script.called == ([] if code else ["preview", "up"])
    assert strict.startswith("For all of it: gpufleet check dev") is bool(code)


def test_malformed_waivers_stop_it(
    checkout: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "stacks" / "waivers.yaml").write_text("waivers: 5\n", encoding="utf-8")
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == ExitCode.WAIVER
    assert script.called == []
    assert "stacks/waivers.yaml:1" in capsys.readouterr().err


def test_approved_needs_its_own_preview(
    checkout: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["up", "dev", "--sandbox", "--yes", "--skip-preview", "--approved", "approved.json"]
    assert run(monkeypatch, *arguments) == ExitCode.CONFIGURATION
    assert script.called == []
    assert "--approved needs the preview that --skip-preview leaves out" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_found_out_first(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "dev", "--sandbox", "--save", "/no/such/folder/a.json") == 2
    assert script.called == []
    assert "--save /no/such/folder/a.json: there is no folder /no/such/folder" in capsys.readouterr().err

"""What the commands do about operations that an earlier run was cut off in; and `gpufleet refresh`."""

from __future__ import annotations

import json

import pytest

from gpufleet.engine import ResourceError, RunCancelledError, UnexpectedChangesError
from gpufleet.engine.doubts import Doubt
from gpufleet.engine.recovery import Outcome, Repaired
from gpufleet.errors import ExitCode
from tests.cli.fake_stack import Script
from tests.cli.test_commands import run

POOL = Doubt(
    urn="urn:pulumi:dev::gpufleet::azure-native:containerservice:AgentPool::h100",
    operation="creating",
    id="/subscriptions/s/x/agentPools/h100",
    record={"type": "azure-native:containerservice:AgentPool", "custom": True},
)


@pytest.fixture
def cut_off(script: Script) -> Script:
    script.doubts = (POOL,)
    script.repaired = (Repaired(doubt=POOL, outcome=Outcome.ADOPTED),)
    script.streams = {"preview": "preview", "up": "nochange", "preview_refresh": "nochange"}
    return script


def test_up_repairs_first_and_says_so(
    cut_off: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes", "--format", "json") == 0
    assert cut_off.called == ["repair", "preview", "up"]
    said = capsys.readouterr()
    assert "An earlier run of dev (sandbox) was cut off in 1 operation:\n  creating AgentPool h100\n" in said.err
    assert "AgentPool h100 was made: it is in the state now" in said.err
    assert json.loads(said.out)["repaired"] == [
        {"urn": POOL.urn, "operation": "creating", "id": POOL.id, "outcome": "adopted"}
    ]


@pytest.mark.parametrize("command", ["up", "destroy", "refresh"])
def test_it_asks_before_a_repair(command: str, cut_off: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, command, "dev", "--sandbox", typed="n\n") == ExitCode.CANCELLED
    assert cut_off.called == []


def test_a_preview_repairs_nothing_and_says_how(
    cut_off: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "dev", "--sandbox") == 0
    assert cut_off.called == ["preview"]
    assert "To find out first: gpufleet refresh dev --sandbox" in capsys.readouterr().err


def test_somebody_elses_resource_is_named_with_the_import_command(
    cut_off: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_off.repaired = (Repaired(doubt=POOL, outcome=Outcome.FOREIGN),)
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == 0
    error = capsys.readouterr().err
    assert "was not made by that run: left alone" in error
    assert f"pulumi import 'azure-native:containerservice:AgentPool' h100 '{POOL.id}'" in error


def failing(script: Script, error: type[ResourceError | RunCancelledError]) -> None:
    script.streams, script.errors = {"preview": "preview", "up": "fail"}, {"up": error}
    script.settled = (Repaired(doubt=POOL, outcome=Outcome.DROPPED),)


def test_lost_answers_of_a_failed_run_are_looked_up_at_its_end(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(script, ResourceError)
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == ExitCode.RESOURCE
    assert script.called == ["preview", "up", "settle"]
    assert "AgentPool h100 was not made: it is not in the state" in capsys.readouterr().err


def test_who_pressed_ctrl_c_does_not_wait_for_azure(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(script, RunCancelledError)
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == ExitCode.CANCELLED
    assert script.called == ["preview", "up", "mark"]


def test_refresh_without_differences_writes_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams = {"preview_refresh": "nochange"}
    assert run(monkeypatch, "refresh", "dev", "--sandbox", "--yes") == 0
    assert script.called == ["preview_refresh"]
    assert "11 resources as the state says" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "typed", "expected"),
    [
        ("--yes", None, (0, ["preview_refresh", "refresh"])),
        ("--diff", "y\n", (0, ["preview_refresh", "refresh"])),
        ("--diff", "n\n", (8, ["preview_refresh"])),
        ("--preview-only", None, (0, ["preview_refresh"])),
        ("--diff", None, (2, [])),
    ],
)
def test_refresh_shows_and_asks_before_it_writes(
    option: str, typed: str | None, expected: tuple[int, list[str]], script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.streams = {"preview_refresh": "preview_update", "refresh": "preview_update"}
    assert (run(monkeypatch, "refresh", "dev", "--sandbox", option, typed=typed), script.called) == expected


def test_refresh_names_what_differs(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams = {"preview_refresh": "preview_update"}
    assert run(monkeypatch, "refresh", "dev", "--sandbox", "--preview-only") == 0
    out = capsys.readouterr().out
    assert out.startswith("dev (sandbox): the cloud against the state\n")
    assert " was changed\n" in out


def test_refresh_with_differences_where_none_were_expected(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.streams, script.errors = {"preview_refresh": "preview_update"}, {"preview_refresh": UnexpectedChangesError}
    assert run(monkeypatch, "refresh", "dev", "--sandbox", "--yes", "--expect-no-changes") == 7
    assert script.called == ["preview_refresh"]

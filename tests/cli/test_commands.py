"""`up`, `preview` and `destroy`: what they check first, what they ask, what they say, and the code they leave with."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from gpufleet.cli.app import main
from gpufleet.engine import EngineError, PolicyError, ResourceError, RunCancelledError, UnexpectedChangesError
from gpufleet.errors import ExitCode
from tests.cli.fake_stack import Script, state

AKS = ("azure-native:containerservice:ManagedCluster", "aks-dev", False)
LUSTRE = ("azure-native:storagecache:AmlFilesystem", "amlfs-dev", True)


class Keyboard(io.StringIO):
    """Stdin that is a terminal."""

    def isatty(self) -> bool:
        return True


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str | None = None) -> int:
    """Run the command line; `typed` is what a person answers at a terminal, None for no terminal."""
    monkeypatch.setattr(sys, "argv", ["gpufleet", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Keyboard(typed))
    monkeypatch.setenv("NO_COLOR", "1")
    if typed is not None:
        monkeypatch.setattr("gpufleet.cli.run.is_terminal", lambda _: True)
    try:
        main()
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("command", ["up", "preview", "destroy"])
def test_an_unknown_environment_names_the_nearest(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, command, "dve", "--sandbox") == ExitCode.STACK_NOT_FOUND
    assert "Did you mean" in capsys.readouterr().err


def test_the_stack_file_is_checked_before_anything_starts(
    checkout: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = checkout / "stacks" / "Pulumi.dev.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("class: ephemeral", "class: efemeral"), encoding="utf-8")
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == ExitCode.CONFIGURATION
    line = next(n for n, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if "efemeral" in text)
    assert f"stacks/Pulumi.dev.yaml:{line}:12: error: class: must be one of" in capsys.readouterr().err
    assert script.calls == []


def test_without_credentials_both_ways_on_are_shown(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "up", "dev", "--yes") == ExitCode.AUTHENTICATION
    error = capsys.readouterr().err
    assert "az login" in error
    assert "gpufleet up dev --sandbox" in error
    assert script.calls == []


def test_up_previews_and_updates(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams = {"preview": "preview", "up": "warn"}
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes", "--parallel", "4", "--target", "a", "-t", "b") == 0
    assert script.called == ["preview", "up"]
    options = script.calls[1][1]
    assert (options.parallel, options.targets, options.continue_on_error) == (4, ("a", "b"), True)
    said = capsys.readouterr()
    assert "+ 11 to create" in said.err
    assert said.out.startswith("dev (sandbox): 8 created")
    assert "warning: ResourceGroup rg-dev-global in dev\n  the spot price is 80 % of the regular price" in said.err


def test_up_without_a_terminal_needs_yes(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "up", "dev", "--sandbox") == ExitCode.CONFIGURATION
    assert "Pass --yes" in capsys.readouterr().err
    assert script.calls == []


@pytest.mark.parametrize(("typed", "code", "called"), [("y\n", 0, ["preview", "up"]), ("n\n", 8, ["preview"])])
def test_up_asks(typed: str, code: int, called: list[str], script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.streams = {"preview": "preview", "up": "nochange"}
    assert run(monkeypatch, "up", "dev", "--sandbox", typed=typed) == code
    assert script.called == called


def test_up_with_nothing_to_do_does_not_ask(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams = {"preview": "nochange", "up": "nochange"}
    assert run(monkeypatch, "up", "dev", "--sandbox", typed="") == 0
    assert capsys.readouterr().out.startswith("dev (sandbox): no changes in ")


def test_skip_preview_needs_yes(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.streams = {"up": "warn"}
    assert run(monkeypatch, "up", "dev", "--sandbox", "--skip-preview", typed="y\n") == ExitCode.CONFIGURATION
    assert run(monkeypatch, "up", "dev", "--sandbox", "--skip-preview", "--yes") == 0
    assert script.called == ["up"]


def test_a_refused_resource_is_code_4_with_what_was_made_and_why(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams, script.errors = {"preview": "preview", "up": "fail"}, {"up": ResourceError}
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == ExitCode.RESOURCE
    said = capsys.readouterr()
    assert said.out.startswith("dev (sandbox): 10 created, 1 failed")
    assert "error: QuotaExceeded (409)  AgentPool h100b in dev/frontier/h100b" in said.err
    assert said.err.endswith("error: up of dev failed\n")


@pytest.mark.parametrize(
    ("stream", "error"),
    [("policy", PolicyError), ("preview_update", UnexpectedChangesError), ("cancel", RunCancelledError)],
)
def test_a_preview_that_fails_stops_up_and_shows_its_plan(
    stream: str,
    error: type[EngineError],
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script.streams, script.errors = {"preview": stream}, {"preview": error}
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes") == error.exit_code
    assert script.called == ["preview"]
    assert "Preview of dev (sandbox)" in capsys.readouterr().err


def test_json_is_all_that_stdout_has_and_says_how_it_ended(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams, script.errors = {"preview": "preview", "up": "fail"}, {"up": ResourceError}
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes", "--format", "json") == 4
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["command"], document["result"], document["exitCode"]) == (
        "run",
        "up",
        "failed",
        4,
    )
    assert document["diagnostics"][0]["code"] == "QuotaExceeded"
    assert document["changes"] == {"create": 19}
    assert document["engine"] == {"version": "3.250.0", "source": "built"}


def test_json_also_before_the_engine_runs(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "dev", "--format", "json") == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["result"], document["engine"], document["resources"]) == ("failed", None, [])
    assert document["diagnostics"][0]["message"] == "no Azure credentials found"


def test_preview_writes_its_plan_to_a_file(
    checkout: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.streams = {"preview": "preview_replace"}
    file = checkout / "plan.txt"
    assert run(monkeypatch, "preview", "dev", "--sandbox", "--output", str(file)) == 0
    assert capsys.readouterr().out == ""
    text = file.read_text(encoding="utf-8")
    assert text.splitlines()[2] == "+- 1 resource will be destroyed and made again:"
    assert text.endswith("+- 1 to replace, 10 unchanged\n")


def test_destroy_stops_at_protected_resources_before_anything_is_deleted(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.state = [state(AKS, LUSTRE)]
    assert run(monkeypatch, "destroy", "dev", "--sandbox", "--yes") == ExitCode.RESOURCE
    error = capsys.readouterr().err
    assert "1 resource is protected, so nothing was deleted\n  AmlFilesystem: amlfs-dev" in error
    assert "gpufleet destroy dev --sandbox --unprotect amlfs-dev" in error
    assert script.calls == []


def test_destroy_lets_named_resources_go_and_confirms_that_nothing_is_left(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script.state, script.streams = [state(AKS, LUSTRE), state()], {"destroy": "destroy"}
    assert run(monkeypatch, "destroy", "dev", "--sandbox", "--yes", "--unprotect", "amlfs-*") == 0
    assert script.unprotected == ["urn:pulumi:dev::gpufleet::azure-native:storagecache:AmlFilesystem::amlfs-dev"]
    said = capsys.readouterr()
    assert "- AmlFilesystem amlfs-dev (protected)" in said.err
    assert said.out.endswith("Nothing is left of dev (sandbox); its (empty) stack stays.\n")


def test_destroy_of_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "destroy", "dev", "--sandbox", "--yes") == 0
    assert capsys.readouterr().out == "Nothing to destroy: dev (sandbox) has no resources.\n"


@pytest.mark.parametrize(("typed", "code"), [("prod\n", 0), ("y\n", 8), ("\n", 8)])
def test_destroying_production_takes_its_name(
    typed: str, code: int, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.state, script.streams = [state(AKS)], {"destroy": "destroy"}
    assert run(monkeypatch, "destroy", "prod", "--sandbox", typed=typed) == code
    assert script.called == (["destroy"] if code == 0 else [])


def test_ctrl_c_outside_the_engine_is_code_8(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gpufleet.cli.run.Run.check", interrupted)
    assert run(monkeypatch, "up", "dev", "--sandbox", "--yes", "--format", "json") == ExitCode.CANCELLED
    said = capsys.readouterr()
    assert json.loads(said.out)["result"] == "cancelled"
    assert said.err == "error: cancelled\n"


def test_a_folder_without_a_pack_is_refused(
    checkout: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "dev", "--sandbox", "--policy-pack", str(checkout)) == ExitCode.CONFIGURATION
    assert "no PulumiPolicy.yaml there" in capsys.readouterr().err

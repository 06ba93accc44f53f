"""The door to Pulumi, with the real engine and programs that need no provider."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pulumi
import pytest

from gpufleet.engine import (
    SECRET,
    ProgramError,
    RunEvent,
    RunKind,
    RunOptions,
    SecretsError,
    Severity,
    StackLockedError,
    StackMissingError,
    Step,
    StepStarted,
    UnexpectedChangesError,
)
from gpufleet.engine.install import engine_folder
from gpufleet.engine.sandbox_home import sandbox_environment
from gpufleet.engine.stack import EnvironmentStack
from gpufleet.errors import ConfigurationError

pytestmark = pytest.mark.engine

# The same program inline and for the CLI: what `components.program` and `__main__.py` are to the real project.
PROGRAM = """
import pulumi

class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("gpufleet:test:Box", name, {}, opts)
        self.register_outputs({"a": 1})

def main():
    environment = pulumi.Config("gpufleet").require_object("environment")
    outer = Box("outer")
    Box("inner", pulumi.ResourceOptions(parent=outer))
    pulumi.export("stack", pulumi.get_stack())
    pulumi.export("secret", pulumi.Output.secret(environment["secret"]))

if __name__ == "__main__":
    main()
"""


def program() -> None:
    namespace: dict[str, object] = {"__name__": "program"}
    exec(PROGRAM, namespace)
    main = namespace["main"]
    assert callable(main)
    main()


def empty() -> None:
    pulumi.export("nothing", 1)


def test_preview_up_and_the_empty_second_up(root: Path):
    before = (root / "stacks" / "Pulumi.dev.yaml").read_bytes(), (root / "Pulumi.yaml").read_bytes()
    stack = EnvironmentStack("dev", root=root, sandbox=True, program=program)
    events: list[RunEvent] = []
    planned = stack.preview(on_event=events.append)
    assert (planned.kind, planned.changes, planned.changed) == (RunKind.PREVIEW, {"create": 3}, 3)
    started = [event.resource.name for event in events if isinstance(event, StepStarted)]
    assert sorted(started) == ["gpufleet-dev", "inner", "outer"]
    assert len([event for event in events if isinstance(event, Step)]) == 3

    made = stack.up()
    assert (made.changes, made.outputs) == ({"create": 3}, {"stack": "dev", "secret": SECRET})
    again = stack.up(RunOptions(expect_no_changes=True))
    assert (again.changes, again.changed, again.outputs) == ({"same": 3}, 0, {"stack": "dev", "secret": SECRET})
    assert stack.outputs() == {"stack": "dev", "secret": SECRET}
    assert "hush" not in json.dumps(stack.export())
    assert before == ((root / "stacks" / "Pulumi.dev.yaml").read_bytes(), (root / "Pulumi.yaml").read_bytes())


def test_refresh_preview_of_destroy_and_destroy(root: Path):
    stack = EnvironmentStack("dev", root=root, sandbox=True, program=program)
    stack.up()
    assert stack.refresh().changes == {"same": 3}
    assert stack.preview_destroy().changes == {"delete": 3}
    assert stack.outputs()["stack"] == "dev"
    gone = stack.destroy()
    assert gone.changes == {"delete": 3}
    assert gone.diagnostics == ()
    assert stack.outputs() == {}
    assert "resources" not in json.dumps(stack.export())


def test_the_cli_finds_nothing_to_change_after_an_inline_run_and_the_other_way_round(root: Path):
    (root / "__main__.py").write_text(PROGRAM)
    stack = EnvironmentStack("dev", root=root, sandbox=True, program=program)
    stack.up()
    environment = sandbox_environment(root, stack.engine).applied()
    pulumi_cli = str(engine_folder(stack.engine) / "pulumi")

    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [pulumi_cli, *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)

    up = cli("up", "--yes", "--stack", "dev", "--expect-no-changes")
    assert (up.returncode, up.stderr) == (0, "")
    assert "3 unchanged" in up.stdout
    assert "warning" not in up.stdout
    assert cli("up", "--yes", "--stack", "other").returncode == 6  # the stack was not asked for yet
    other = EnvironmentStack("other", root=root, sandbox=True, program=program)
    assert cli("up", "--yes", "--stack", "other").returncode == 0
    assert other.up(RunOptions(expect_no_changes=True)).changes == {"same": 3}


def test_changes_where_none_were_expected(root: Path):
    stack = EnvironmentStack("dev", root=root, sandbox=True, program=program)
    stack.up()
    changed = EnvironmentStack("dev", root=root, sandbox=True, program=empty)
    with pytest.raises(UnexpectedChangesError) as caught:
        changed.preview(RunOptions(expect_no_changes=True))
    assert caught.value.exit_code == 7
    assert caught.value.result is not None
    assert caught.value.result.changes == {"same": 1, "delete": 2}


def test_a_program_that_fails_is_named_with_its_own_lines(root: Path):
    def broken() -> None:
        raise KeyError("vmSize")

    stack = EnvironmentStack("dev", root=root, sandbox=True, program=broken)
    with pytest.raises(ProgramError) as caught:
        stack.up()
    assert caught.value.message == "the program of dev failed: KeyError: 'vmSize'"
    assert isinstance(caught.value.__cause__, KeyError)
    result = caught.value.result
    assert result is not None
    (message,) = [item.message for item in result.diagnostics if item.severity is Severity.ERROR]
    assert message.startswith("Program failed with an unhandled exception:\nTraceback (most recent call last):\n")
    assert "site-packages" not in message


def test_a_mistake_in_the_stack_file_comes_back_as_it_was_raised(root: Path):
    mistake = ConfigurationError("stacks/Pulumi.dev.yaml:3: no such size")

    def mistaken() -> None:
        raise mistake

    with pytest.raises(ConfigurationError) as caught:
        EnvironmentStack("dev", root=root, sandbox=True, program=mistaken).preview()
    assert caught.value is mistake


def test_an_exception_in_apply_is_the_programs(root: Path):
    def late() -> None:
        pulumi.export("late", pulumi.Output.from_input(0).apply(lambda value: 1 / value))

    with pytest.raises(ProgramError, match=r"^the program of dev failed: division by zero$"):
        EnvironmentStack("dev", root=root, sandbox=True, program=late).up()


def test_a_listener_that_fails_is_heard(root: Path):
    def listener(event: RunEvent) -> None:
        raise ValueError(f"cannot draw {type(event).__name__}")

    stack = EnvironmentStack("dev", root=root, sandbox=True, program=empty)
    with pytest.raises(ValueError, match="cannot draw "):
        stack.up(on_event=listener)


def test_a_locked_stack_says_who_must_go_first(root: Path):
    inside = threading.Event()
    leave = threading.Event()

    def slow() -> None:
        inside.set()
        assert leave.wait(60)

    stack = EnvironmentStack("dev", root=root, sandbox=True, program=slow)
    holder = threading.Thread(target=stack.up)
    holder.start()
    assert inside.wait(60)
    try:
        with pytest.raises(StackLockedError) as caught:
            EnvironmentStack("dev", root=root, sandbox=True, program=empty).up()
    finally:
        leave.set()
        holder.join(60)
    assert caught.value.exit_code == 1
    assert "pulumi cancel --stack dev" in caught.value.hint


def test_a_wrong_passphrase_is_an_authentication_error(root: Path):
    stack = EnvironmentStack("dev", root=root, sandbox=True, program=program)
    stack.up()
    (root / ".sandbox" / "passphrase").write_text("wrong")
    with pytest.raises(SecretsError) as caught:
        stack.up()
    assert caught.value.exit_code == 3


def test_no_such_environment(root: Path):
    with pytest.raises(StackMissingError) as caught:
        EnvironmentStack("deev", root=root, sandbox=True)
    assert caught.value.exit_code == 6
    assert "Did you mean dev?" in caught.value.message


def test_a_stack_that_the_backend_lost_is_made_again(root: Path):
    stack = EnvironmentStack("dev", root=root, sandbox=True, program=empty)
    shutil.rmtree(root / ".sandbox" / "state" / ".pulumi" / "stacks")
    assert stack.up().changes == {"create": 1}


def test_a_sandbox_shell_never_runs_against_azure_by_accident(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GPUFLEET_SANDBOX_CLOUD", str(root))
    with pytest.raises(ConfigurationError, match="this shell is set for the sandbox"):
        EnvironmentStack("dev", root=root, sandbox=False)


_RUNNER = """
import sys, time
from pathlib import Path
from gpufleet.engine import RunCancelledError
from gpufleet.engine.stack import EnvironmentStack

def slow():
    print("inside", flush=True)
    time.sleep(3)

try:
    EnvironmentStack("dev", root=Path(sys.argv[1]), sandbox=True, program=slow).up(on_event=lambda event: None)
except RunCancelledError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_cancels_politely_and_leaves_no_lock(root: Path, number: signal.Signals):
    command = [sys.executable, "-c", _RUNNER, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(number)
        rest = process.stdout.read()
        code = process.wait(60)
    said = "up of dev was cancelled; what had begun was finished\nGo on with `gpufleet up dev --sandbox`.\n"
    assert (code, rest) == (8, said)
    assert list((root / ".sandbox" / "state" / ".pulumi").rglob("locks/**/*.json")) == []
    assert EnvironmentStack("dev", root=root, sandbox=True, program=empty).up().changed == 1

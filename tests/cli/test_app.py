from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import gpufleet
from gpufleet.cli import app as module
from gpufleet.cli import main as entry
from gpufleet.cli.output import people
from gpufleet.errors import AuthenticationError, ConfigurationError, GpufleetError

GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GPUFLEET, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_version_and_help_go_to_stdout():
    assert run("--version").stdout == f"gpufleet {gpufleet.__version__}\n"
    done = run("--help", COLUMNS="200")
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("up", "preview", "destroy", "env", "stacks", "schema", "engine"):
        assert f" {command} " in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["engine", "--help"], ["--version"]])
def test_help_imports_nothing_that_is_slow(arguments: list[str]):
    code = (
        "import sys, gpufleet.cli.app as app\n"
        f"sys.argv = ['gpufleet', *{arguments!r}]\n"
        "try:\n    app.main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "slow = {'pulumi', 'grpc', 'pulumi_azure_native', 'pulumi_kubernetes', 'components'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def loaded(*arguments: str) -> set[str]:
    """What is imported at the end of a command that went well."""
    code = (
        "import sys\n"
        "from gpufleet.cli.main import main\n"
        f"sys.argv = ['gpufleet', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines())


def test_a_command_imports_no_other():
    commands = {f"gpufleet.cli.{name}" for name in typer.main.get_group(module.app).commands}
    assert len(commands) == 19
    assert loaded("offers", "--format", "json") & commands == {"gpufleet.cli.offers"}
    assert loaded("--help") & commands == commands


def test_a_check_imports_no_engine_no_sdk_and_no_examples():
    found = loaded("check", "dev", "--no-strict", "--format", "json", "--output", os.devnull)
    assert not found & {
        "pulumi",
        "grpc",
        "pulumi_azure_native",
        "pulumi_kubernetes",
        "gpufleet.engine.results",
        "gpufleet.engine.locks",
        "gpufleet.spec.field_docs",
        "policies.examples",
        "policies.documentation",
        "rich",
        "numpy",
        "scipy",
    }


def test_pydantic_looks_for_no_plugins_unless_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "main", lambda: None)
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "one")
    entry.main()
    assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "one"
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS")
    entry.main()
    assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__"


def test_ctrl_c_during_the_first_imports_is_a_cancelled_command(tmp_path: Path):
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    done = run("--help", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (8, "", "error: cancelled\n")


def test_a_key_error_of_a_command_s_module_is_no_unknown_command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def broken(name: str) -> None:
        raise KeyError(name)

    people.cache_clear()
    monkeypatch.setattr(module, "_command", broken)
    monkeypatch.setattr(sys, "argv", ["gpufleet", "check"])
    with pytest.raises(SystemExit) as caught:
        module.main()
    assert caught.value.code == 1
    assert "internal error: KeyError: 'check'" in capfd.readouterr().err


def test_a_command_close_by_is_named():
    done = run("stack", COLUMNS="200")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'stack'. Did you mean 'stacks'?" in done.stderr


def test_an_unknown_command_is_a_usage_error_on_stderr():
    done = run("upp")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'upp'." in done.stderr


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (GpufleetError("it broke"), 1, "error: it broke\n"),
        (ConfigurationError("bad [key]", hint="try [this]"), 2, "error: bad [key]\ntry [this]\n"),
        (AuthenticationError("who are you"), 3, "error: who are you\n"),
        (KeyboardInterrupt(), 8, "error: cancelled\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/tmp/x"),
            1,
            "error: No space left on device: /tmp/x\nMake room, then run it again.\n",
        ),
        (
            ZeroDivisionError("division by zero"),
            1,
            (
                "error: internal error: ZeroDivisionError: division by zero\n"
                "This is a bug in gpufleet. Run again with GPUFLEET_DEBUG=1 and report the stack trace.\n"
            ),
        ),
    ],
)
def test_an_error_is_one_message_and_one_exit_code(
    raised: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    def broken() -> None:
        raise raised

    people.cache_clear()
    monkeypatch.delenv("GPUFLEET_DEBUG", raising=False)
    monkeypatch.setattr(module, "app", broken)
    monkeypatch.setattr(module, "give_up_stdout", lambda: None)
    with pytest.raises(SystemExit) as caught:
        module.main()
    assert caught.value.code == code
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", said)
    monkeypatch.setenv("GPUFLEET_DEBUG", "1")
    with pytest.raises(SystemExit):
        module.main()
    assert "Traceback (most recent call last)" in capfd.readouterr().err


@pytest.mark.parametrize("pressed", [KeyboardInterrupt, typer.Abort])
@pytest.mark.parametrize(
    ("arguments", "inside"),
    [
        (["check", "dev"], "gpufleet.check.run.load"),
        (["cost", "dev"], "gpufleet.spec.load"),
        (["size", "dev"], "gpufleet.sizing.proposal.propose"),
        (["explain", "sizing"], "gpufleet.sizing.examples.examples"),
        (["offers"], "gpufleet.catalog.snapshots.current"),
        (["prices", "status"], "gpufleet.catalog.snapshots.current"),
        (["stacks"], "gpufleet.engine.install.ensure_engine"),
        (["schema"], "gpufleet.spec.json_schema.stack_file_schema"),
        (["sandbox", "list"], "gpufleet.engine.sandbox_home.sandbox_home"),
        (["sandbox", "fail", "list"], "gpufleet.engine.sandbox_home.sandbox_home"),
        (["up", "dev", "--sandbox", "--yes"], "gpufleet.engine.project.stack_file"),
    ],
)
def test_ctrl_c_has_one_exit_code_in_every_command(
    arguments: list[str],
    inside: str,
    pressed: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    def stop(*_: object, **__: object) -> None:
        raise pressed

    people.cache_clear()
    monkeypatch.delenv("GPUFLEET_DEBUG", raising=False)
    monkeypatch.setattr(inside, stop)
    monkeypatch.setattr(sys, "argv", ["gpufleet", *arguments])
    with pytest.raises(SystemExit) as caught:
        module.main()
    captured = capfd.readouterr()
    assert (caught.value.code, captured.out, captured.err) == (8, "", "error: cancelled\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{GPUFLEET} schema > /dev/full", "error: cannot write to stdout: No space left on device\n"),
        (f"{GPUFLEET} --help > /dev/full", "error: No space left on device\nMake room, then run it again.\n"),
        (f"{GPUFLEET} schema >&-", "error: stdout is closed\n--output writes the result to a file.\n"),
        (
            f"PYTHONIOENCODING=ascii {GPUFLEET} explain sizing",
            (
                "error: stdout takes ascii alone, and the result has the character ·\n"
                "Set PYTHONIOENCODING=utf-8. --output writes the result to a file.\n"
            ),
        ),
    ],
)
def test_a_stdout_that_takes_nothing_is_no_bug(command: str, said: str):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert done.stderr.replace("\\xb7", "·") == said


def test_a_reader_that_leaves_early_is_no_stack_trace():
    done = subprocess.run(f"{GPUFLEET} schema | head -1", shell=True, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")

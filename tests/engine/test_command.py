from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.engine.command import CommandFailedError, EngineCommand
from gpufleet.engine.locate import Engine, Origin
from gpufleet.engine.sandbox_home import Environment


def command(folder: Path, script: str, *, stopping: list[str] | None = None) -> EngineCommand:
    """An EngineCommand around a shell script."""
    pulumi = folder / "pulumi"
    pulumi.write_text(f"#!/bin/sh\n{script}\n")
    pulumi.chmod(0o755)
    (folder / "pulumi-language-python").touch()
    engine = Engine(pulumi=pulumi, version="3.250.0", origin=Origin.PATH, reason="")
    changes = Environment(variables={"SET": "set"}, unset=("TAKEN",))
    told = stopping if stopping is not None else []
    return EngineCommand(engine, changes, on_stopping=lambda: told.append("told"))


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """What an engine that was stopped leaves behind ends with the process; here, with the test."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_arguments_environment_folder_and_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TAKEN", "x")
    script = 'echo "$*|$SET|$TAKEN|$EXTRA|$PULUMI_AUTOMATION_API|$PWD"; echo warning >&2'
    lines: list[str] = []
    done = command(tmp_path, script).run(["up", "--yes"], str(tmp_path), {"EXTRA": "e"}, lines.append)
    assert done.stdout == f"--non-interactive up --yes|set||e|true|{tmp_path}"
    assert (done.stderr, done.code, lines) == ("warning", 0, [done.stdout])


def test_a_failure_keeps_its_code_and_words(tmp_path: Path):
    with pytest.raises(CommandFailedError) as caught:
        command(tmp_path, "echo out; echo err >&2; exit 7").run(["up"], str(tmp_path), {})
    failure = caught.value
    assert (failure.result.code, failure.result.stdout, failure.result.stderr) == (7, "out", "err")
    assert failure.cancelled is False


def test_words_that_are_no_utf8_do_no_harm(tmp_path: Path):
    assert command(tmp_path, r"printf 'a\377b\n'").run([], str(tmp_path), {}).stdout == "a\ufffdb"


def test_the_first_stop_is_polite_and_the_second_ends_it(tmp_path: Path):
    # The script stands for the engine: it goes on after the first SIGINT and gives up at the second.
    script = """
count=0
trap 'count=$((count + 1)); echo "interrupt $count"; [ $count -ge 2 ] && exit 9' INT
echo ready
while true; do sleep 0.05; done
"""
    told: list[str] = []
    lines: list[str] = []

    def on_output(line: str) -> None:
        lines.append(line)
        if line in {"ready", "interrupt 1"}:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(CommandFailedError) as caught:
        command(tmp_path, script, stopping=told).run([], str(tmp_path), {}, on_output)
    assert lines == ["ready", "interrupt 1", "interrupt 2"]
    assert (caught.value.result.code, caught.value.cancelled, told) == (9, True, ["told"])
    # A third one, while we say what became of it, ends nothing: KeyboardInterrupt would come right here.
    os.kill(os.getpid(), signal.SIGINT)


def test_an_engine_that_ends_well_after_a_stop_is_no_failure(tmp_path: Path):
    before = signal.getsignal(signal.SIGTERM)
    script = "trap 'echo stopped; exit 0' INT\necho ready\nwhile true; do sleep 0.05; done"

    def on_output(line: str) -> None:
        if line == "ready":
            os.kill(os.getpid(), signal.SIGTERM)

    assert command(tmp_path, script).run([], str(tmp_path), {}, on_output).stdout == "ready\nstopped"
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_ignored_stays_ignored(tmp_path: Path):
    def on_output(line: str) -> None:
        if line == "ready":
            os.kill(os.getpid(), signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        assert command(tmp_path, "echo ready; echo done").run([], str(tmp_path), {}, on_output).stdout == "ready\ndone"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_signals_are_left_alone(tmp_path: Path):
    before = signal.getsignal(signal.SIGINT)
    answers: list[str] = []

    def run() -> None:
        answers.append(command(tmp_path, "echo fine").run([], str(tmp_path), {}).stdout)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert answers == ["fine"]
    assert signal.getsignal(signal.SIGINT) is before

"""Ctrl-C, a second one, at the question, and two runs at once: real engine, real sandbox, real processes."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gpufleet.engine.project import ROOT
from tests.soak.kills import Home, descendants, runs

pytestmark = pytest.mark.engine

COMMAND = [sys.executable, "-c", "from gpufleet.cli.app import main; main()"]
# Operations last a hundredth of what Azure needs: a cluster some seconds.
SLOW = {"GPUFLEET_SANDBOX_TIME_SCALE": "0.01"}


def start(home: Home, *arguments: str, slow: bool = True) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments, "--sandbox"],
        cwd=ROOT,
        env={**home.environment, **(SLOW if slow else {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("stops", "said"),
    # A quick engine has ended before the second signal comes.
    [
        (1, "was cancelled; what "),
        pytest.param(2, "was (stopped at once|cancelled; what )", marks=pytest.mark.soak),
    ],
)
def test_ctrl_c_ends_everything_and_the_next_run_goes_on(stops: int, said: str, tmp_path: Path):
    home = Home(tmp_path / "home")
    process = start(home, "up", "dev", "--yes", "--skip-preview")
    wait(lambda: home.transactions > 12)
    family = descendants(process.pid)
    for _ in range(stops):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 8, output
    lines = output.strip().splitlines()
    assert re.search(said, lines[-2]), output
    assert lines[-1] == "Go on with `gpufleet up dev --sandbox`."
    assert "Traceback" not in output
    wait(lambda: not any(runs(pid) for pid in family))
    assert home.locks() == []

    done = home.run("up", "dev", "--sandbox", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stderr
    assert not home.state() - home.cloud()
    again = home.run("preview", "dev", "--sandbox", "--expect-no-changes")
    assert again.returncode == 0, again.stdout


def test_the_second_of_two_runs_of_one_stack_is_told_who_holds_it(tmp_path: Path):
    home = Home(tmp_path / "home")
    first = start(home, "up", "dev", "--yes", "--skip-preview")
    try:
        wait(lambda: home.locks() != [])
        second = home.run("up", "dev", "--sandbox", "--yes", "--skip-preview")
        assert second.returncode == 1
        assert re.search(
            r"error: dev is locked by process \d+ of \S+ on \S+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
            second.stderr,
        )
        assert "Wait for the other run." in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=120)


@pytest.mark.soak
def test_two_stacks_come_up_at_the_same_time(tmp_path: Path):
    home = Home(tmp_path / "home")
    processes = [start(home, "up", name, "--yes", "--skip-preview", slow=False) for name in ("dev", "staging")]
    outputs = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    for name in ("dev", "staging"):
        assert home.run("preview", name, "--sandbox", "--expect-no-changes").returncode == 0


def test_ctrl_c_at_the_question_changes_nothing(tmp_path: Path):
    home = Home(tmp_path / "home")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "up", "dev", "--sandbox"],
        cwd=ROOT,
        env={**home.environment, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    while "[y/N]" not in shown:
        shown += os.read(ours, 4096).decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 8
    shown += os.read(ours, 4096).decode()
    os.close(ours)
    assert "error: not confirmed, so nothing was changed" in shown
    assert "Aborted" not in shown
    assert not home.state()

"""Whose lock it is, whether its process lives, and that only a dead one's is removed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gpufleet.engine.locks import Lock, locks_beside, locks_in, remove_dead

NOW = datetime.now(UTC)


def lock(pid: int, *, host: str = "", since: datetime = NOW, file: Path | None = None) -> Lock:
    url = file.as_uri() if file else "azblob://states/.pulumi/locks/x.json"
    return Lock(url=url, user="ana", host=host or socket.gethostname(), pid=pid, since=since)


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_engines_words():
    said = (
        "error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the "
        "lock file with `pulumi cancel`.\n"
        "  file:///home/an%20a/state/.pulumi/locks/organization/gpufleet/dev/1.json?metadata=skip: created by "
        "ana@build-7 (pid 4711) at 2026-11-21T12:01:48+01:00\n"
        "  azblob://states/.pulumi/locks/organization/gpufleet/dev/2.json: created by CORP\\bob@build-8 (pid 12) at "
        "2026-11-21T11:00:00Z"
    )
    first, second = locks_in(said)
    assert (first.user, first.host, first.pid) == ("ana", "build-7", 4711)
    assert first.holder == "process 4711 of ana on build-7, since 2026-11-21 11:01:48 UTC"
    assert first.file == Path("/home/an a/state/.pulumi/locks/organization/gpufleet/dev/1.json")
    assert (second.user, second.file) == ("CORP\\bob", None)
    assert locks_in("[409] Conflict: Another update is currently in progress.") == ()


def test_a_living_process_holds_its_lock(tmp_path: Path):
    file = tmp_path / "lock.json"
    file.touch()
    mine = lock(os.getpid(), file=file)
    assert not mine.dead
    assert not remove_dead([mine])
    assert file.exists()


def test_a_process_that_ended_or_whose_number_went_on_is_dead(ended: int):
    assert lock(ended).dead
    # This process began long after such a lock.
    assert lock(os.getpid(), since=NOW - timedelta(days=365)).dead


def test_an_unreaped_process_is_dead():
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert lock(process.pid).dead


def test_a_process_of_another_machine_is_never_dead(ended: int):
    assert not lock(ended, host="elsewhere").dead


def test_all_or_nothing(tmp_path: Path, ended: int):
    dead, living = tmp_path / "dead.json", tmp_path / "living.json"
    dead.touch()
    living.touch()
    assert not remove_dead([lock(ended, file=dead), lock(os.getpid(), file=living)])
    assert dead.exists()
    assert remove_dead([lock(ended, file=dead)])
    assert not dead.exists()
    assert remove_dead([lock(ended, file=dead)])  # somebody else was faster
    assert not remove_dead([lock(ended)])  # in a container of blobs only the engine's own way exists
    assert not remove_dead([])


def test_locks_beside_a_state_file(tmp_path: Path):
    state = tmp_path / ".pulumi" / "stacks" / "gpufleet" / "dev.json"
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "gpufleet" / "dev"
    assert locks_beside(state) == ()
    folder.mkdir(parents=True)
    content = {"pid": 4711, "username": "ana", "hostname": "build-7", "timestamp": "2026-11-21T12:01:48Z"}
    (folder / "a.json").write_text(json.dumps(content))
    (folder / "b.json").write_text("{")  # being written
    (lock,) = locks_beside(state)
    assert lock.holder == "process 4711 of ana on build-7, since 2026-11-21 12:01:48 UTC"
    assert lock.file == folder / "a.json"

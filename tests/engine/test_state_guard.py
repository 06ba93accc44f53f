"""A full disk and a folder that cannot be written: a clear error, the old state whole, and the next run finishes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpufleet.engine import EngineError
from gpufleet.engine.project import PROJECT
from gpufleet.engine.state_guard import StateGuard, restore, state_file

WHOLE = '{"version":3,"checkpoint":{"stack":"s","latest":{"resources":[]}}}'
OLDER = '{"version":3,"checkpoint":{"stack":"s","latest":{}}}'


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///a/b?metadata=skip", Path("/a/b/.pulumi/stacks") / PROJECT / "dev.json"),
        ("file:///a%20b", Path("/a b/.pulumi/stacks") / PROJECT / "dev.json"),
        ("file://~", Path.home() / ".pulumi/stacks" / PROJECT / "dev.json"),
        ("azblob://states", None),
        ("https://api.pulumi.com", None),
        ("", None),
    ],
)
def test_where_the_state_is(url: str, expected: Path | None):
    assert state_file(url, "dev") == expected


def test_half_a_state_gives_way_to_its_backup(tmp_path: Path):
    file = tmp_path / "dev.json"
    assert not restore(file)  # never made
    file.write_text(WHOLE)
    assert not restore(file)
    (tmp_path / "dev.json.bak").write_text(OLDER)
    for half in (WHOLE[:-1], ""):
        file.write_text(half)
        assert restore(file)
        assert file.read_text() == OLDER
        file.unlink()  # it shares its content with the backup now
    assert (tmp_path / "dev.json.bak").read_text() == OLDER


def test_without_anything_whole_the_error_names_the_backups(tmp_path: Path):
    file = tmp_path / ".pulumi" / "stacks" / PROJECT / "dev.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    (file.parent / "dev.json.bak").write_text("{")
    with pytest.raises(EngineError, match="is cut off, and so is its backup") as caught:
        restore(file)
    assert str(tmp_path / ".pulumi" / "backups" / PROJECT / "dev") in caught.value.hint


def test_what_was_whole_during_a_run_outlives_a_backup_that_is_not(tmp_path: Path):
    file, fresh = tmp_path / "dev.json", tmp_path / "fresh"
    file.write_text(OLDER)
    with StateGuard(file):
        assert (tmp_path / "dev.json.kept").samefile(file)
        fresh.write_text(WHOLE[:20])
        fresh.replace(file)  # as the engine writes
        (tmp_path / "dev.json.bak").write_text(WHOLE[:20])
    assert file.read_text() == OLDER
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.json", "dev.json.bak"]


# Root writes where it wants to: the capability that lets it is dropped for good, as for the programs that it starts.
RUNNER = """
import ctypes, os, resource, sys
from pathlib import Path

mode, root, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if mode == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
if mode == "read-only" and os.geteuid() == 0:
    PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0
    os.execv(sys.executable, [sys.executable, "-c", Path(root / "runner.py").read_text(), "none", *sys.argv[2:]])

import json
import pulumi
from gpufleet.engine import EngineError
from gpufleet.engine.stack import EnvironmentStack

class Box(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("gpufleet:test:Box", name, {})
        self.register_outputs({"text": "x" * size})

def program():
    for index in range(10):
        Box(f"box-{index}")

try:
    said = dict(EnvironmentStack("dev", root=root, sandbox=True, program=program).up().changes)
except EngineError as error:
    said = {"error": type(error).__name__, "code": error.exit_code, "message": error.message, "hint": error.hint}
print(json.dumps(said))
"""


def run(root: Path, mode: str, size: int) -> dict[str, object]:
    (root / "runner.py").write_text(RUNNER)
    command = [sys.executable, "-c", RUNNER, mode, str(root), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.engine
@pytest.mark.soak
def test_a_full_disk_leaves_the_old_state_whole(root: Path):
    assert run(root, "none", 10) == {"create": 11}
    file = root / ".sandbox" / "state" / ".pulumi" / "stacks" / PROJECT / "dev.json"
    before = {resource["urn"] for resource in json.loads(file.read_text())["checkpoint"]["latest"]["resources"]}

    failed = run(root, "full", 20_000)
    assert (failed["error"], failed["code"]) == ("StateWriteError", 1)
    assert failed["message"] == f"the state of dev cannot be written: {file}: file too large"
    assert failed["hint"] == (
        "Free some space there. The state is whole, as it was before: then `gpufleet up dev --sandbox` goes on."
    )
    after = json.loads(file.read_text())["checkpoint"]["latest"]["resources"]
    assert {resource["urn"] for resource in after} == before
    assert run(root, "none", 20_000) == {"same": 11}


@pytest.mark.engine
def test_a_folder_that_cannot_be_written_is_named(root: Path):
    assert run(root, "none", 10) == {"create": 11}
    state = root / ".sandbox" / "state"
    folders = [state, *(path for path in state.rglob("*") if path.is_dir())]
    before = (state / ".pulumi" / "stacks" / PROJECT / "dev.json").read_bytes()
    for folder in folders:
        folder.chmod(0o555)
    try:
        failed = run(root, "read-only", 20)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (failed["error"], failed["code"]) == ("StateWriteError", 1)
    assert str(failed["message"]).startswith(f"the state of dev cannot be written: {state}/.pulumi/locks/")
    assert str(failed["message"]).endswith(": permission denied")
    assert "Make that folder one that you may write." in str(failed["hint"])
    assert (state / ".pulumi" / "stacks" / PROJECT / "dev.json").read_bytes() == before
    assert run(root, "none", 20) == {"same": 11}

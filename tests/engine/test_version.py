from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.engine.version import Probe, probe


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "cache"))


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("answer", ["v3.250.0", "3.250.0", "v3.272.0", "v3.250.1-alpha.1", "v3.999.9+dirty"])
def test_a_fitting_version_fits(tmp_path: Path, answer: str):
    found = probe(executable(tmp_path / "pulumi", f"echo {answer}"))
    assert found == Probe(version=answer.removeprefix("v"), problem="")
    assert found.fits


@pytest.mark.parametrize("answer", ["v3.249.9", "v2.300.0", "v4.0.0"])
def test_an_older_or_newer_major_does_not(tmp_path: Path, answer: str):
    found = probe(executable(tmp_path / "pulumi", f"echo {answer}"))
    assert found.problem == f"version {answer[1:]} does not fit (>=3.250.0, <4)"
    assert not found.fits


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo hello", "`pulumi version` answered 'hello'"),
        ("echo v3.250.0; exit 3", "`pulumi version` failed with code 3"),
        ("exec nothing-of-that-name 2>/dev/null", "`pulumi version` failed with code 127"),
    ],
)
def test_a_broken_file_says_how(tmp_path: Path, script: str, problem: str):
    assert probe(executable(tmp_path / "pulumi", script)).problem == problem


def test_a_file_that_is_no_program_does_not_start(tmp_path: Path):
    path = executable(tmp_path / "pulumi", "")
    path.write_bytes(b"\x7fELF torn")
    assert probe(path).problem.startswith("does not start: ")


def test_a_missing_file_cannot_be_read(tmp_path: Path):
    assert probe(tmp_path / "pulumi").problem == "cannot be read: No such file or directory"


def test_the_answer_is_asked_for_once_until_the_file_changes(tmp_path: Path):
    calls = tmp_path / "calls"
    script = f"echo x >> {calls}; echo v3.250.0"
    path = executable(tmp_path / "pulumi", script)
    assert probe(path).version == "3.250.0"
    assert probe(path).version == "3.250.0"
    assert calls.read_text() == "x\n"
    executable(path, script.replace("3.250.0", "3.260.0"))
    path.write_text(path.read_text() + "# longer\n")
    assert probe(path).version == "3.260.0"
    assert calls.read_text() == "x\nx\n"


def test_a_damaged_memory_is_ignored(tmp_path: Path):
    memory = tmp_path / "cache" / "versions.json"
    memory.parent.mkdir()
    path = executable(tmp_path / "pulumi", "echo v3.250.0")
    for damage in ("{", "[]", '{"%s": 3}' % path, '{"%s": [1, 2, "x"]}' % path):  # noqa: UP031 braces
        memory.write_text(damage)
        assert probe(path).version == "3.250.0"

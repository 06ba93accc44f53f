from __future__ import annotations

import concurrent.futures
import json
import os
import stat
from pathlib import Path

import pytest

from gpufleet.cli.output import emit, emit_json
from gpufleet.errors import ConfigurationError


def test_stdout_gets_the_result_with_one_newline(capsys: pytest.CaptureFixture[str]):
    emit("one")
    emit("two\n")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("one\ntwo\n", "")


def test_a_file_is_replaced_whole_and_readable_by_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    target = tmp_path / "result.json"
    target.write_text("old and longer")
    emit("new", target)
    assert target.read_text() == "new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert stat.S_IMODE(target.stat().st_mode) & stat.S_IRUSR
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_is_the_persons_mistake(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"^cannot write .*/missing/x: No such file or directory$"):
        emit("x", tmp_path / "missing" / "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="Is a directory"):
        emit("x", tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_pipe_or_a_device_is_written_to_and_stays_one(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        reader = pool.submit(pipe.read_text)
        emit("through", pipe)
        assert reader.result() == "through\n"
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    emit("new", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new\n"


def test_json_says_its_kind_and_version(capsys: pytest.CaptureFixture[str]):
    emit_json("stacks", {"stacks": ["é"]})
    assert json.loads(capsys.readouterr().out) == {"schemaVersion": 1, "kind": "stacks", "stacks": ["é"]}

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from gpufleet.engine.cache import cache_root
from gpufleet.engine.files import locked, put_in_place, write_if_different


def test_cache_root_follows_the_override_then_xdg_then_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "own"
    monkeypatch.delenv("GPUFLEET_CACHE")
    assert cache_root() == tmp_path / "xdg" / "gpufleet"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification: ignore a path that is not absolute
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "home" / ".cache" / "gpufleet"


def test_put_in_place_replaces_the_whole_folder(tmp_path: Path):
    final = tmp_path / "deep" / "final"
    final.mkdir(parents=True)
    (final / "old").touch()
    with put_in_place(final) as staging:
        (staging / "new").touch()
        assert [path.name for path in final.iterdir()] == ["old"]
    assert [path.name for path in final.iterdir()] == ["new"]
    assert [path.name for path in final.parent.iterdir()] == ["final"]


def test_put_in_place_leaves_the_old_folder_and_nothing_else_after_an_error(tmp_path: Path):
    final = tmp_path / "final"
    final.mkdir()
    (final / "old").touch()
    with pytest.raises(ValueError, match="torn"), put_in_place(final) as staging:  # noqa: PT012
        (staging / "half").touch()
        raise ValueError("torn")
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
    assert [path.name for path in final.iterdir()] == ["old"]


def test_write_if_different_touches_an_equal_file_not_at_all(tmp_path: Path):
    path = tmp_path / "secret"
    write_if_different(path, "one", mode=0o600)
    first = path.stat()
    assert stat.S_IMODE(first.st_mode) == 0o600
    write_if_different(path, "one", mode=0o600)
    assert path.stat().st_ino == first.st_ino
    write_if_different(path, "two", mode=0o600)
    assert path.read_text() == "two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_a_second_holder_is_told_and_waits(tmp_path: Path):
    lock = tmp_path / "lock"
    order: list[str] = []
    told = threading.Event()

    def second() -> None:
        with locked(lock, told.set):
            order.append("second")

    with locked(lock, lambda: order.append("never")):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]

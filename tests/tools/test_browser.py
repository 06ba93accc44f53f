from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools import browser
from tools.browser import NoBrowserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_first_that_starts(folder: Path) -> None:
    assert browser.find() is None
    program(folder, "chromium", "exit 1")
    assert browser.find() is None
    found = program(folder, "google-chrome")
    assert browser.find() == browser.ensure() == found


def test_without_root_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(folder, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert browser.main() == 2
    assert "On Debian, as root: apt-get install chromium" in capsys.readouterr().err


def test_root_gets_debians_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(
        folder,
        "apt-get",
        f'echo "$@" >> {folder}/asked; echo "#!/bin/sh" > {folder}/chromium; /bin/chmod 755 {folder}/chromium',
    )
    assert browser.ensure() == folder / "chromium"
    assert (folder / "asked").read_text().splitlines() == [
        "--quiet update",
        "--quiet install --yes --no-install-recommends chromium",
    ]


def test_a_package_that_cannot_be_had_is_an_error_with_its_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(folder, "apt-get", "echo E: no such package; exit 100")
    with pytest.raises(NoBrowserError, match="apt-get update failed:\nE: no such package"):
        browser.ensure()


def test_a_browser_that_hangs_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(folder, "chromium")

    def hangs(*args: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("chromium", 60)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert browser.find() is None

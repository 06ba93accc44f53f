from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import promtool
from tools.promtool import NoPromtoolError

UNPACK = """for last in "$@"; do :; done
/bin/mkdir -p $last/usr/bin
echo "#!/bin/sh" > $last/usr/bin/promtool
/bin/chmod 755 $last/usr/bin/promtool"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; the cache is beside it."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "cache"))
    return path


def program(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_one_on_path_if_it_starts(folder: Path) -> None:
    program(folder, "promtool", "exit 1")
    with pytest.raises(NoPromtoolError, match="make promtool gets it"):
        promtool.find()
    found = program(folder, "promtool")
    assert promtool.find() == promtool.ensure() == found


def test_without_debian_it_says_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert promtool.main() == 2
    assert "Debian's package prometheus has it" in capsys.readouterr().err


def test_debians_package_is_unpacked_and_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    program(folder, "apt-get", f'echo "$@" >> {folder}/asked; echo > prometheus_1_amd64.deb')
    program(folder, "dpkg-deb", UNPACK)
    found = promtool.ensure()
    assert (found.name, found.parent.name) == ("promtool", "debian")
    assert folder not in found.parents
    assert (folder / "asked").read_text().splitlines() == ["--quiet download prometheus"]
    assert promtool.find() == found


def test_root_brings_the_list_of_packages_up_to_date(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    stale = f'[ "$2" = update ] && echo > {folder}/new; [ -e {folder}/new ] && echo > p.deb || exit 100'
    program(folder, "apt-get", stale)
    program(folder, "dpkg-deb", UNPACK)
    assert promtool.ensure().name == "promtool"


def test_a_package_that_cannot_be_had_is_an_error_with_its_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    program(folder, "apt-get", "echo E: no such package; exit 100")
    program(folder, "dpkg-deb")
    with pytest.raises(NoPromtoolError, match="apt-get --quiet download prometheus failed:\nE: no such package"):
        promtool.ensure()

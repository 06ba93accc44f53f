from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gpufleet.engine import install, locate, official
from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.install import Source, engine_folder, ensure_engine
from gpufleet.engine.locate import Origin


def put_pulumi(folder: Path, version: str = "3.250.0") -> None:
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    path = folder / "bin" / "pulumi"
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(0o755)


def refuse(reason: str) -> Callable[..., None]:
    def refused(*args: object, **kwargs: object) -> None:
        raise EngineUnavailableError(reason)

    return refused


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("GPUFLEET_PULUMI", raising=False)
    (tmp_path / "venv").mkdir()
    monkeypatch.setattr(locate, "side_by_side_folder", lambda: tmp_path / "venv" / "engine")


def test_the_official_release_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def download(folder: Path) -> None:
        put_pulumi(folder, "3.272.0")
        (folder / "bin" / "pulumi-language-python").touch()

    monkeypatch.setattr(install, "install_official", download)
    monkeypatch.setattr(install, "build", refuse("not to be called"))
    engine = ensure_engine()
    assert (engine.origin, engine.version) == (Origin.OFFICIAL, "3.272.0")
    assert engine_folder(engine) == locate.official_folder() / "bin"
    assert not (tmp_path / "venv" / "engine").exists()


def test_offline_it_is_built_and_our_language_host_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    built: list[Path] = []

    def build(sources: Path, folder: Path, *, cache: Path) -> None:
        built.append(sources)
        put_pulumi(folder)

    monkeypatch.setattr(install, "install_official", refuse("get.pulumi.com is out of reach: no route"))
    monkeypatch.setattr(install, "build", build)
    engine = ensure_engine()
    assert (engine.origin, built) == (Origin.BUILT, [locate.SOURCES])
    folder = tmp_path / "venv" / "engine"
    assert engine_folder(engine) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["pulumi", "pulumi-language-python"]
    assert (folder / "pulumi").stat().st_ino == engine.pulumi.stat().st_ino
    assert os.access(folder / "pulumi-language-python", os.X_OK)
    assert "out of reach: no route; building the engine from source instead" in capsys.readouterr().err
    assert ensure_engine().pulumi == engine.pulumi
    assert built == [locate.SOURCES]


def test_a_broken_cached_build_is_built_again(monkeypatch: pytest.MonkeyPatch):
    put_pulumi(locate.built_folder(), "3.1.0")
    monkeypatch.setattr(install, "install_official", refuse("offline"))
    monkeypatch.setattr(install, "build", lambda sources, folder, *, cache: put_pulumi(folder))
    assert ensure_engine().version == "3.250.0"


def test_an_engine_that_came_out_broken_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(install, "install_official", refuse("offline"))
    monkeypatch.setattr(install, "build", lambda sources, folder, *, cache: put_pulumi(folder, "2.0.0"))
    with pytest.raises(EngineUnavailableError, match=r"does not work: version 2\.0\.0 does not fit"):
        ensure_engine()


def test_asking_for_the_official_one_does_not_fall_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(install, "install_official", refuse("offline"))
    monkeypatch.setattr(install, "build", refuse("not to be called"))
    with pytest.raises(EngineUnavailableError, match=r"^offline$"):
        ensure_engine(Source.OFFICIAL)


def test_an_engine_replaced_in_the_cache_replaces_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_pulumi(locate.built_folder())
    ensure_engine()
    (locate.built_folder() / "bin" / "pulumi").unlink()
    put_pulumi(locate.built_folder(), "3.255.0")
    ensure_engine()
    assert "3.255.0" in (tmp_path / "venv" / "engine" / "pulumi").read_text()


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "file"))
    with pytest.raises(EngineUnavailableError) as caught:
        ensure_engine()
    assert caught.value.message.startswith(f"cannot install the Pulumi engine into {tmp_path / 'file'}: ")
    assert caught.value.hint == "Set GPUFLEET_CACHE to a folder that can be written."


def test_the_official_installer_gives_up_on_a_silent_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(official, "_PROBE", "import signal; signal.pause()")
    monkeypatch.setattr(official, "_PROBE_SECONDS", 1)
    with pytest.raises(EngineUnavailableError, match=r"^get\.pulumi\.com is out of reach: no answer within 1 s$"):
        official.install_official(tmp_path / "official")
    assert not (tmp_path / "official").exists()


def test_the_official_installers_own_words_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(official, "_PROBE", "")
    monkeypatch.setattr(official, "_INSTALL", "raise SystemExit('disk is full')")
    with pytest.raises(EngineUnavailableError, match=r"^the official installer failed: disk is full$"):
        official.install_official(tmp_path / "official")
    assert list(tmp_path.glob(".official*")) == []

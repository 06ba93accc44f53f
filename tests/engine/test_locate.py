from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.engine import locate
from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.locate import Origin, find_engine


def pulumi(folder: Path, version: str = "3.250.0", *, host: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(0o755)
    if host:
        (folder / "pulumi-language-python").touch()
    return path


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("GPUFLEET_PULUMI", raising=False)
    monkeypatch.setattr(locate, "side_by_side_folder", lambda: tmp_path / "venv" / "engine")


def test_nothing_there():
    search = find_engine()
    assert search.engine is None
    assert search.passed_over == ()


def test_the_first_fitting_one_on_path_wins_and_the_others_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old, fits, later = (tmp_path / name for name in ("old", "fits", "later"))
    pulumi(old, "3.100.0")
    path = pulumi(fits, "3.260.0")
    pulumi(later, "3.270.0")
    monkeypatch.setenv("PATH", f"{old}:{fits}:{later}:/usr/bin:/bin")
    search = find_engine()
    assert search.engine is not None
    assert (search.engine.pulumi, search.engine.version, search.engine.origin) == (path, "3.260.0", Origin.PATH)
    assert search.passed_over == (f"{old / 'pulumi'}: version 3.100.0 does not fit (>=3.250.0, <4)",)


def test_our_own_copy_on_path_is_not_taken_for_the_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pulumi(tmp_path / "venv" / "engine")
    built = pulumi(locate.built_folder() / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'venv' / 'engine'}:{built.parent}:/usr/bin:/bin")
    engine = find_engine().engine
    assert engine is not None
    assert (engine.pulumi, engine.origin) == (built, Origin.BUILT)


def test_the_official_release_comes_before_the_built_one(tmp_path: Path):
    pulumi(locate.built_folder() / "bin")
    official = pulumi(locate.official_folder() / "bin", "3.272.0", host=True)
    engine = find_engine().engine
    assert engine is not None
    assert (engine.pulumi, engine.version, engine.origin) == (official, "3.272.0", Origin.OFFICIAL)
    assert engine.has_language_host


def test_a_broken_build_is_passed_over_so_that_it_is_built_again():
    path = locate.built_folder() / "bin" / "pulumi"
    path.parent.mkdir(parents=True)
    path.write_text("torn")
    path.chmod(0o755)
    search = find_engine()
    assert search.engine is None
    assert len(search.passed_over) == 1
    assert search.passed_over[0].startswith(f"{path}: does not start: ")


@pytest.mark.parametrize("as_folder", [False, True])
def test_the_override_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_folder: bool):
    pulumi(tmp_path / "path")
    own = pulumi(tmp_path / "own", "3.251.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("GPUFLEET_PULUMI", str(own.parent if as_folder else own))
    engine = find_engine().engine
    assert engine is not None
    assert (engine.pulumi, engine.version, engine.origin) == (own, "3.251.0", Origin.OVERRIDE)


def test_an_override_that_does_not_fit_is_an_error_not_a_fallback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pulumi(tmp_path / "path")
    own = pulumi(tmp_path / "own", "3.1.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("GPUFLEET_PULUMI", str(own))
    with pytest.raises(EngineUnavailableError) as caught:
        find_engine()
    assert caught.value.message == f"GPUFLEET_PULUMI={own}: version 3.1.0 does not fit (>=3.250.0, <4)"

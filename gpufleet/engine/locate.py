"""Which Pulumi engine is used, and why: an override, one on PATH, or one that gpufleet has installed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gpufleet.engine.cache import cache_root
from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.project import ROOT
from gpufleet.engine.source_build import build_key
from gpufleet.engine.version import FITTING, probe

OVERRIDE = "GPUFLEET_PULUMI"
LANGUAGE_HOST = "pulumi-language-python"
SOURCES = ROOT / "tools" / "engine"


class Origin(StrEnum):
    """Where an engine comes from, in the order they are looked for."""

    OVERRIDE = "override"
    PATH = "path"
    OFFICIAL = "official"
    BUILT = "built"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Pulumi CLI that fits.

    Attributes:
        pulumi: the executable.
        version: for example "3.250.0".
        reason: why this one, for people.
    """

    pulumi: Path
    version: str
    origin: Origin
    reason: str

    @property
    def has_language_host(self) -> bool:
        """Whether Pulumi's own Python language host lies beside the CLI, as in every official release."""
        return (self.pulumi.resolve().parent / LANGUAGE_HOST).exists()


@dataclass(frozen=True, kw_only=True)
class Search:
    """What looking for an engine came to.

    Attributes:
        engine: the one to use, None when there is none yet.
        passed_over: what was looked at first, and why it was not taken.
    """

    engine: Engine | None
    passed_over: tuple[str, ...] = ()


def find_engine() -> Search:
    """Look for the engine to use.

    Raises:
        EngineUnavailableError: GPUFLEET_PULUMI names something that is not a fitting Pulumi CLI.
    """
    if override := os.environ.get(OVERRIDE):
        return Search(engine=_overridden(Path(override)))
    passed_over: list[str] = []
    for origin, path, reason in _candidates():
        if not path.exists():
            continue
        found = probe(path)
        if found.fits:
            engine = Engine(pulumi=path, version=found.version, origin=origin, reason=reason)
            return Search(engine=engine, passed_over=tuple(passed_over))
        passed_over.append(f"{path}: {found.problem}")
    return Search(engine=None, passed_over=tuple(passed_over))


def official_folder() -> Path:
    """Where gpufleet puts the official CLI."""
    return cache_root() / "engine" / "official"


def built_folder() -> Path:
    """Where gpufleet puts the CLI that it built from the pinned sources."""
    return cache_root() / "engine" / build_key(SOURCES)


def side_by_side_folder() -> Path:
    """`.venv/engine`: the CLI beside our language host, for an engine that came without one."""
    return Path(sys.prefix) / "engine"


def _overridden(path: Path) -> Engine:
    executable = path / "pulumi" if path.is_dir() else path
    found = probe(executable)
    if not found.fits:
        raise EngineUnavailableError(
            f"{OVERRIDE}={path}: {found.problem}", hint=f"Name a Pulumi CLI {FITTING}, or unset {OVERRIDE}."
        )
    return Engine(
        pulumi=executable.absolute(), version=found.version, origin=Origin.OVERRIDE, reason=f"{OVERRIDE} names it"
    )


def _candidates() -> Iterator[tuple[Origin, Path, str]]:
    for path in _on_path():
        yield Origin.PATH, path, f"first on PATH with a fitting version ({FITTING})"
    yield Origin.OFFICIAL, official_folder() / "bin" / "pulumi", "gpufleet downloaded the official release"
    yield Origin.BUILT, built_folder() / "bin" / "pulumi", "gpufleet built it from the Go module pinned in tools/engine"


def _on_path() -> Iterator[Path]:
    """Every `pulumi` on PATH but our own copies, which `gpufleet env` puts there itself."""
    ours = {side_by_side_folder().resolve(), official_folder() / "bin", built_folder() / "bin"}
    seen: set[Path] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        place = Path(folder or ".").resolve()
        if place in ours or place in seen:
            continue
        seen.add(place)
        found = shutil.which("pulumi", path=str(place))
        if found:
            yield Path(found)

"""Get an engine onto this machine, once: the official release where the network allows it, else a build from source."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gpufleet.engine import locate
from gpufleet.engine.cache import cache_root
from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.files import locked, write_if_different
from gpufleet.engine.locate import LANGUAGE_HOST, SOURCES, Engine
from gpufleet.engine.official import install_official
from gpufleet.engine.source_build import build
from gpufleet.engine.version import probe


class Source(StrEnum):
    """Where to get an engine from."""

    AUTO = "auto"
    OFFICIAL = "official"
    BUILD = "build"


def ensure_engine(source: Source = Source.AUTO) -> Engine:
    """The engine to use, installed first if there is none; a language host beside it if it came without one.

    Two of these at once do the work once: the second waits for the first.

    Args:
        source: where to get one from; anything but AUTO gets it even when another one is there already.

    Raises:
        EngineUnavailableError: none is there and none can be had; the message says why for each way.
    """
    engine = locate.find_engine().engine if source is Source.AUTO else None
    if engine is None:
        engine = _install(source)
    if not engine.has_language_host:
        _put_side_by_side(engine.pulumi)
    return engine


def engine_folder(engine: Engine) -> Path:
    """The folder to put first on PATH for a plain `pulumi` with this engine."""
    return engine.pulumi.parent if engine.has_language_host else locate.side_by_side_folder()


def _install(source: Source) -> Engine:
    def waiting() -> None:
        _say("another gpufleet is installing the Pulumi engine: waiting for it")

    try:
        with locked(cache_root() / "engine.lock", waiting):
            if source is Source.AUTO:
                search = locate.find_engine()
                if search.engine:
                    return search.engine
                for reason in search.passed_over:
                    _say(f"not used: {reason}")
            folder = _fetch(source)
    except OSError as error:
        raise EngineUnavailableError(
            f"cannot install the Pulumi engine into {cache_root()}: {error.strerror or error}",
            hint="Set GPUFLEET_CACHE to a folder that can be written.",
        ) from error
    found = probe(folder / "bin" / "pulumi")
    if not found.fits:
        raise EngineUnavailableError(f"the engine that was just installed in {folder} does not work: {found.problem}")
    origin = locate.Origin.OFFICIAL if folder == locate.official_folder() else locate.Origin.BUILT
    return Engine(pulumi=folder / "bin" / "pulumi", version=found.version, origin=origin, reason="just installed")


def _fetch(source: Source) -> Path:
    if source is not Source.BUILD:
        try:
            install_official(locate.official_folder())
        except EngineUnavailableError as error:
            if source is Source.OFFICIAL:
                raise
            _say(f"{error.message}; building the engine from source instead")
        else:
            return locate.official_folder()
    build(SOURCES, locate.built_folder(), cache=cache_root())
    return locate.built_folder()


def _put_side_by_side(pulumi: Path) -> None:
    """Fill `.venv/engine` with the CLI and our language host.

    The engine looks for a language host beside its own executable (symbolic links resolved) and warns on every run when
    it finds one on PATH instead: hence a hard link, or a copy across file systems.
    """
    folder = locate.side_by_side_folder()
    folder.mkdir(exist_ok=True)
    host = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -u -m tools.language_host "$@"\n'
    write_if_different(folder / LANGUAGE_HOST, host, mode=0o755)
    ours = folder / "pulumi"
    source = pulumi.resolve()
    with suppress(OSError):
        if _same(ours, source):
            return
    staging = folder / f".pulumi.{os.getpid()}"
    staging.unlink(missing_ok=True)
    try:
        os.link(source, staging)
    except OSError:
        shutil.copy2(source, staging)
    staging.replace(ours)


def _same(one: Path, other: Path) -> bool:
    a, b = one.stat(), other.stat()
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino) or (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)


def _say(text: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text))

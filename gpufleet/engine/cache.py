"""The folder where engines that gpufleet installed are kept between checkouts."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gpufleet.engine.errors import EngineUnavailableError


def cache_root() -> Path:
    """${GPUFLEET_CACHE}, else gpufleet's folder under the XDG cache (freedesktop.org Base Directory Specification).

    Raises:
        EngineUnavailableError: there is no home folder to put it in.
    """
    if named := os.environ.get("GPUFLEET_CACHE"):
        return Path(named).absolute()
    if (xdg := os.environ.get("XDG_CACHE_HOME")) and Path(xdg).is_absolute():
        return Path(xdg) / "gpufleet"
    try:
        return Path.home() / ".cache" / "gpufleet"
    except RuntimeError as error:
        raise EngineUnavailableError(
            "no home folder to keep the engine in", hint="Set GPUFLEET_CACHE to a folder that can be written."
        ) from error


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel frees it even when this process is killed.

    Args:
        path: the lock file, made if missing and never removed (removing it would let two in).
        waiting: called once when somebody else holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def put_in_place(final: Path) -> Iterator[Path]:
    """A folder to fill beside `final`; it takes that name in one step at the end, or leaves nothing after an error."""
    final.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))
    try:
        yield staging
        staging.chmod(0o755)
        if final.exists():
            shutil.rmtree(final)
        staging.rename(final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)

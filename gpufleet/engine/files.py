"""Files that two processes may want at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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


def write_if_different(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a whole file in one step, unless it holds this text already.

    Args:
        path: the file.
        text: all that it is to hold.
        mode: permissions from the very first moment.

    Raises:
        OSError: it cannot be written.
    """
    with suppress(OSError):
        if path.read_text(encoding="utf-8") == text:
            return
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    staging.replace(path)

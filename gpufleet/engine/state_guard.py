"""Keeps a state file whole when the disk is full.

The engine's file backend writes a checkpoint beside the old one and renames it, but it renames also when the writing
failed (gocloud.dev/blob: WriteAll closes its writer after an error, and fileblob's Close renames), so a full disk
leaves half a state; and the next save copies that over the backup. Seen with 3.250.0.

While the engine runs, every whole checkpoint therefore gets a second name here: a hard link, which costs no space.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from gpufleet.engine.errors import EngineError
from gpufleet.engine.project import PROJECT

_LOOK_SECONDS = 0.002
_KEPT, _KEPT_BEFORE, _BACKUP = ".kept", ".kept-before", ".bak"
# Where a checkpoint ends three objects end: the file, its checkpoint, and that one's latest deployment.
_END = b"}}}"


def state_file(backend_url: str, environment: str) -> Path | None:
    """Where a backend keeps the state of an environment; None when that is not a plain file of this machine."""
    parts = urlsplit(backend_url)
    if parts.scheme != "file":
        return None
    folder = Path(unquote(parts.netloc + parts.path)).expanduser()
    return folder / ".pulumi" / "stacks" / PROJECT / f"{environment}.json"


class StateGuard:
    """Context manager around an engine that writes a state file.

    Args:
        file: the state file; None guards nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._inode = -1

    def __enter__(self) -> Self:
        if self._file is not None:
            self._over.clear()
            restore(self._file)
            for suffix in (_KEPT, _KEPT_BEFORE):  # of a run that was killed
                _forget(self._file, suffix)
            self._keep(self._file)
            self._thread = threading.Thread(target=self._watch, args=(self._file,), name="gpufleet-state", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self._thread is None:
            return
        self._over.set()
        self._thread.join()
        restore(self._file)
        for suffix in (_KEPT, _KEPT_BEFORE):
            _forget(self._file, suffix)

    def _watch(self, file: Path) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self._keep(file)

    def _keep(self, file: Path) -> None:
        """Give the present checkpoint a second name, if it looks whole and does not have one yet.

        Half a checkpoint may end in braces too, by chance, so the one before it keeps its name as well.
        """
        with suppress(OSError):
            if file.stat().st_ino == self._inode or not _looks_whole(file):
                return
            fresh, kept = _name(file, f"{_KEPT}-new"), _name(file, _KEPT)
            fresh.unlink(missing_ok=True)
            os.link(file, fresh)
            self._inode = fresh.stat().st_ino
            with suppress(FileNotFoundError):
                kept.replace(_name(file, _KEPT_BEFORE))
            fresh.replace(kept)


def _looks_whole(file: Path) -> bool:
    """The quick look, for hundreds a second."""
    with file.open("rb") as opened:
        opened.seek(0, os.SEEK_END)
        opened.seek(max(0, opened.tell() - 16))
        return opened.read().rstrip().endswith(_END)


def is_whole(file: Path) -> bool:
    """Whether a checkpoint was written to its end."""
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return False
    return True


def restore(file: Path) -> bool:
    """Put the newest whole checkpoint in the place of half a one.

    Returns:
        whether there was something to put right.

    Raises:
        EngineError: nothing whole is left, or it cannot be put in place.
    """
    try:
        if is_whole(file):
            return False
        names = [_name(file, suffix) for suffix in (_KEPT, _KEPT_BEFORE, _BACKUP)]
        candidates = [path for path in names if path.exists() and is_whole(path)]
        if not candidates:
            raise EngineError(
                f"the state {file} is cut off, and so is its backup",
                hint=f"Put one of {file.parents[2] / 'backups' / PROJECT / file.stem} in its place, newest first.",
            )
        newest = max(candidates, key=lambda path: path.stat().st_mtime_ns)
        fresh = _name(file, ".restored")
        fresh.unlink(missing_ok=True)
        os.link(newest, fresh)  # a link and a rename need no space
        fresh.replace(file)
    except FileNotFoundError:
        return False  # a stack that was never made
    except OSError as error:
        raise EngineError(f"the state {file} cannot be restored: {error.strerror}") from error
    return True


def _forget(file: Path, suffix: str) -> None:
    with suppress(OSError):
        _name(file, suffix).unlink()


def _name(file: Path, suffix: str) -> Path:
    # The backend lists what ends in .json as stacks.
    return file.with_name(f"{file.name}{suffix}")

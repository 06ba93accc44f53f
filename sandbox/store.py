"""The cloud on disk: one append-only journal of JSON lines, shared by several processes.

``cloud.jsonl`` starts with a header line; every further line is one transaction, ``{"put": {key: record}, "del": [key,
…], "crc": …}``. A transaction is a single ``write`` of a single line under an exclusive ``fcntl`` lock, so after ``kill
-9`` it is there whole or not at all: a last line without its newline is dropped by the next writer. It is on the disk
(``fdatasync``) before its writer goes on; threads that wait for that share one call. Every line carries a checksum of
what stands before it, so a flipped bit is refused, not believed. Readers hold an index in memory and only read what was
appended since. The journal is rewritten (new file, fsync, rename) when most of it is history.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from sandbox.errors import SandboxError
from sandbox.values import Properties, Secret

Record: TypeAlias = Properties
"""What is kept under a key. Treat as immutable: the index, not a copy, is handed out."""

RESOURCES = "/"
"""What the keys of Azure's resources and Kubernetes' objects start with. Any other key is a record of the sandbox's own
(``fault/…``, ``setting/…``, ``deleted/…``): not in the cloud, but as durable, and gone with it at a reset."""

_FORMAT = 2
_CHECKSUM = b',"crc":"'
_SECRET_KEY = "$secret"  # noqa: S105 the mark of a secret, not one
# Below this size a rewrite saves nothing that anybody notices; above it, one is due when three quarters are history.
_COMPACT_BYTES = 8 * 1024 * 1024
_COMPACT_RATIO = 4


class StoreError(SandboxError):
    """The journal cannot be read or written; the text says why and what to do."""


def _encode(item: object) -> object:
    if isinstance(item, Secret):
        return {_SECRET_KEY: item.value}
    raise TypeError(f"{type(item).__name__} cannot be stored")


def _decode(item: dict[str, object]) -> object:
    return Secret(item[_SECRET_KEY]) if _SECRET_KEY in item else item


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_encode)
_decoder = json.JSONDecoder(object_hook=_decode)


def _sealed(body: Mapping[str, object]) -> bytes:
    """A line of the journal: JSON whose last member is the checksum of all before it."""
    text = _encoder.encode(body).encode()[:-1]
    return b'%b%b%08x"}\n' % (text, _CHECKSUM, zlib.crc32(text))


def _unsealed(line: bytes) -> bytes:
    """The JSON of a line, checked; ValueError when it is not what was written."""
    text, found, checksum = line.rpartition(_CHECKSUM)
    if not found or checksum != b'%08x"}' % zlib.crc32(text):
        raise ValueError("the checksum does not fit")
    return text + b"}"


class Transaction:
    """Puts and deletes that become visible together. Reads see the store plus this transaction's own writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.puts: dict[str, Record] = {}
        self.deletes: set[str] = set()

    def get(self, key: str) -> Record | None:
        """The record under ``key`` (case-insensitive), or None."""
        key = key.lower()
        if key in self.puts:
            return self.puts[key]
        return None if key in self.deletes else self._store.peek(key)

    def generation(self, key: str) -> int:
        """How many times something was created under ``key`` before now (what is there now included)."""
        return self._store.generations.get(key.lower(), 0)

    def under(self, prefix: str) -> list[str]:
        """The keys that start with ``prefix`` (case-insensitive)."""
        prefix = prefix.lower()
        keys = [key for key in self._store.keys_now(prefix) if key not in self.deletes]
        return keys + [key for key in self.puts if key.startswith(prefix) and self._store.peek(key) is None]

    def put(self, key: str, record: Record) -> None:
        """Create or replace the record under ``key``."""
        key = key.lower()
        self.puts[key] = record
        self.deletes.discard(key)

    def delete(self, key: str) -> None:
        """Remove ``key``; absent keys are no error."""
        key = key.lower()
        self.puts.pop(key, None)
        if self._store.peek(key) is not None:
            self.deletes.add(key)


class Store:
    """The journal in ``directory``, opened by any number of processes and threads."""

    def __init__(self, directory: Path) -> None:
        """Open (and create where missing) the journal.

        Raises:
            StoreError: the directory cannot be made or read, or the journal is corrupt.
        """
        self.path = directory / "cloud.jsonl"
        self.generations: dict[str, int] = {}
        self._lock_path = directory / "cloud.lock"
        self._mutex = threading.RLock()
        self._index: dict[str, Record] = {}
        self._own: dict[str, Record] = {}
        self._file = -1
        self._inode = -1
        self._offset = 0
        self._rewritten_size = 0
        self._sync_mutex = threading.Lock()
        self._synced = (-1, 0)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock_file = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"the sandbox's cloud cannot be kept in {directory}: {error.strerror}") from error

    def close(self) -> None:
        """Close the files. The store must not be used afterwards."""
        with self._mutex:
            for file in (self._file, self._lock_file):
                if file >= 0:
                    os.close(file)
            self._file = self._lock_file = -1

    def get(self, key: str) -> Record | None:
        """The record under ``key`` (case-insensitive), or None; sees what other processes have written."""
        with self._mutex:
            self._catch_up()
            return self._index.get(key.lower())

    def items(self, prefix: str = "") -> list[tuple[str, Record]]:
        """Keys and records whose key starts with ``prefix`` (case-insensitive), in order of creation."""
        prefix = prefix.lower()
        with self._mutex:
            self._catch_up()
            return [(key, record) for key, record in self._part(prefix).items() if key.startswith(prefix)]

    def _part(self, prefix: str) -> Mapping[str, Record]:
        """The smallest index that has every key with this prefix: the sandbox's own records are few and often asked."""
        return self._index if not prefix or prefix.startswith(RESOURCES) else self._own

    def peek(self, key: str) -> Record | None:
        """The record under a lower-case key as last seen, without looking at the disk (inside a transaction)."""
        return self._index.get(key)

    def keys_now(self, prefix: str) -> Iterator[str]:
        """The keys that start with a lower-case prefix as last seen, without looking at the disk (in a transaction)."""
        return (key for key in self._part(prefix) if key.startswith(prefix))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Exclusive over all processes; written when the block ends, forgotten when it raises.

        Raises:
            StoreError: the disk is full or read-only; what was there before stays whole.
        """
        file, place = -1, (-1, 0)
        with self._mutex:
            with self._exclusive():
                self._catch_up(drop_torn_line=True)
                transaction = Transaction(self)
                yield transaction
                if transaction.puts or transaction.deletes:
                    self._append(transaction)
            if transaction.puts or transaction.deletes:
                file, place = os.dup(self._file), (self._inode, self._offset)
        if file >= 0:
            self._make_durable(file, place)

    def _make_durable(self, file: int, place: tuple[int, int]) -> None:
        """Wait until a journal (its inode) is on the disk up to an offset; outside the locks: others write on."""
        try:
            with self._sync_mutex:
                inode, done = self._synced
                if inode == place[0] and done >= place[1]:
                    return
                # What others have written by now goes with it.
                upto = self._offset if self._inode == place[0] else place[1]
                os.fdatasync(file)
                self._synced = (place[0], max(upto, place[1]))
        except OSError as error:
            text = f"the sandbox's cloud ({self.path}) may not be on the disk: {error.strerror}"
            raise StoreError(text) from error
        finally:
            os.close(file)

    def wipe(self) -> None:
        """Remove everything, under the lock; other processes see an empty cloud at their next look."""
        with self._mutex, self._exclusive():
            self.path.unlink(missing_ok=True)
            self._forget()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _append(self, transaction: Transaction) -> None:
        body: dict[str, object] = {}
        if transaction.puts:
            body["put"] = transaction.puts
        if transaction.deletes:
            body["del"] = sorted(transaction.deletes)
        line = _sealed(body)
        if self._file < 0:
            self._open_file(create=True)
            self._sync_directory()
        if self._offset == 0:  # new, or left without a whole header by a writer that died
            line = self._header({}) + line
        self._write_all(self._file, line, self._offset)
        self._offset += len(line)
        self._apply(transaction.puts, transaction.deletes)
        if self._offset > max(_COMPACT_BYTES, _COMPACT_RATIO * self._rewritten_size):
            self._compact()

    def _write_all(self, file: int, data: bytes, start: int) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(file, data[written:], start + written)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(file, start)
            cause = "no space left on the disk" if error.errno == errno.ENOSPC else error.strerror
            raise StoreError(f"the sandbox's cloud ({self.path}) was not changed: {cause}") from error

    def _compact(self) -> None:
        """Rewrite the journal as the live records only. A failure leaves the old file, which is just longer."""
        fresh = self.path.with_suffix(".new")
        # Replaying a live record counts it once more, so the header holds what came before.
        before = {key: count - (key in self._index) for key, count in self.generations.items()}
        lines = [self._header({key: count for key, count in before.items() if count})]
        lines += [_sealed({"put": {key: record}}) for key, record in self._index.items()]
        data = b"".join(lines)
        self._rewritten_size = max(len(data), self._offset)  # do not try again at once when it fails
        with contextlib.suppress(OSError, StoreError):
            file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                self._write_all(file, data, 0)
                os.fsync(file)
                fresh.rename(self.path)
                self._sync_directory()
            except BaseException:
                os.close(file)
                raise
            os.close(self._file)
            self._file, self._inode, self._offset = file, os.fstat(file).st_ino, len(data)
            self._rewritten_size = len(data)

    @staticmethod
    def _header(generations: Mapping[str, int]) -> bytes:
        return _sealed({"gpufleet-sandbox-cloud": _FORMAT, "generations": generations})

    def _sync_directory(self) -> None:
        """A new name is on the disk when its folder is."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open_file(self, *, create: bool) -> bool:
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        try:
            self._file = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self._file = self._inode = -1
            return False
        except OSError as error:
            raise StoreError(f"the sandbox's cloud ({self.path}) cannot be opened: {error.strerror}") from error
        self._inode = os.fstat(self._file).st_ino
        self._offset = 0
        return True

    def _forget(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = self._inode = -1
        self._offset = 0
        self._index.clear()
        self._own.clear()
        self.generations.clear()

    def _catch_up(self, *, drop_torn_line: bool = False) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._forget()
            return
        if status.st_ino != self._inode or status.st_size < self._offset:
            self._forget()
            if not self._open_file(create=False):
                return
        if status.st_size == self._offset:
            return
        data = os.pread(self._file, os.fstat(self._file).st_size - self._offset, self._offset)
        whole = data.rfind(b"\n") + 1
        for line in data[:whole].split(b"\n")[:-1]:
            self._replay(line, first=self._offset == 0)
            self._offset += len(line) + 1
        if whole < len(data) and drop_torn_line:
            # The writer died inside its write: that transaction never happened.
            os.ftruncate(self._file, self._offset)
        if self._rewritten_size == 0:
            self._rewritten_size = self._offset

    def _replay(self, line: bytes, *, first: bool) -> None:
        try:
            if first:
                self._check_header(_decoder.decode(line.decode()))
            body = _decoder.decode(_unsealed(line).decode())
            if first:
                self.generations.update(body["generations"])
            else:
                self._apply(body.get("put", {}), body.get("del", ()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            text = (
                f"the sandbox's cloud ({self.path}) is corrupt at byte {self._offset}: {error}. "
                "What stands before that is whole (`head -c`); `gpufleet sandbox reset` starts over."
            )
            raise StoreError(text) from error

    @staticmethod
    def _check_header(body: Mapping[str, object]) -> None:
        if body.get("gpufleet-sandbox-cloud") != _FORMAT:
            raise ValueError(f"expected format {_FORMAT}, found {body.get('gpufleet-sandbox-cloud')!r}")

    def _apply(self, puts: Mapping[str, Record], deletes: set[str] | list[str]) -> None:
        for key in deletes:
            self._index.pop(key, None)
            self._own.pop(key, None)
        for key, record in puts.items():
            if not key.startswith(RESOURCES):
                self._own[key] = record
            elif key not in self._index:
                self.generations[key] = self.generations.get(key, 0) + 1
            self._index[key] = record

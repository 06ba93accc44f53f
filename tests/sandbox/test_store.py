from __future__ import annotations

import errno
import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import store as store_module
from sandbox.store import Store, StoreError
from sandbox.values import Secret


def put(store: Store, key: str, **record: object) -> None:
    with store.transaction() as transaction:
        transaction.put(key, dict(record))


def delete(store: Store, key: str) -> None:
    with store.transaction() as transaction:
        transaction.delete(key)


def put_and_fail(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.put("/b", {"n": 1})
        transaction.delete("/a")
        transaction.put("/c", {"n": 1 // 0})


def journal(store: Store) -> list[str]:
    """The lines without their checksums."""
    lines = store.path.read_text().splitlines()
    assert all(len(json.loads(line)["crc"]) == 8 for line in lines)
    return [line.rpartition(',"crc":')[0] + "}" for line in lines]


def test_keys_are_case_insensitive(store: Store) -> None:
    put(store, "/Subscriptions/S/RG", a=1)
    assert store.get("/subscriptions/s/rg") == {"a": 1}
    assert [key for key, _ in store.items("/SUBSCRIPTIONS/")] == ["/subscriptions/s/rg"]
    delete(store, "/subscriptions/S/rg")
    assert store.get("/Subscriptions/S/RG") is None


def test_a_cloud_is_readable_lines(store: Store) -> None:
    put(store, "/a", name="é", token=Secret("x"))
    delete(store, "/a")
    assert journal(store) == [
        '{"gpufleet-sandbox-cloud":2,"generations":{}}',
        '{"put":{"/a":{"name":"é","token":{"$secret":"x"}}}}',
        '{"del":["/a"]}',
    ]


def test_everything_survives_reopening(store: Store) -> None:
    put(store, "/a", value=Secret({"k": 1}), items=[1, 2.5, True, "x"])
    put(store, "/b", b=1)
    delete(store, "/b")
    again = Store(store.path.parent)
    assert again.items() == [("/a", {"value": Secret({"k": 1}), "items": [1, 2.5, True, "x"]})]
    assert again.generations == {"/a": 1, "/b": 1}
    again.close()


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    put(store, "/a", a=1)
    with pytest.raises(ZeroDivisionError):
        put_and_fail(store)
    assert store.items() == [("/a", {"a": 1})]
    assert len(journal(store)) == 2


def test_a_transaction_sees_its_own_writes(store: Store) -> None:
    put(store, "/a/1", n=1)
    with store.transaction() as transaction:
        transaction.put("/a/2", {"n": 2})
        assert transaction.under("/A/") == ["/a/1", "/a/2"]
        transaction.delete("/a/1")
        assert transaction.get("/a/1") is None
        assert transaction.under("/a/") == ["/a/2"]
        transaction.put("/a/1", {"n": 3})
        assert transaction.get("/A/1") == {"n": 3}
    assert [key for key, _ in store.items()] == ["/a/1", "/a/2"]


def test_generation_counts_creations_not_updates(store: Store) -> None:
    for _ in range(2):
        put(store, "/a", a=1)
    delete(store, "/a")
    put(store, "/a", a=2)
    assert store.generations["/a"] == 2


def test_two_processes_see_each_other(store: Store) -> None:
    other = Store(store.path.parent)
    put(store, "/a", a=1)
    assert other.get("/a") == {"a": 1}
    put(other, "/b", b=1)
    assert store.get("/b") == {"b": 1}
    other.close()


def _write_many(directory: str, number: int, count: int) -> None:
    store = Store(Path(directory))
    for index in range(count):
        put(store, f"/{number}/{index}", n=index)
    store.close()


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(str(tmp_path), number, 40)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = Store(tmp_path)
    assert len(store.items()) == 120
    assert all(json.loads(line) for line in journal(store))
    store.close()


@pytest.mark.parametrize("torn", ['{"put":{"/b":{"b"', '{"put":{"/b":{"b":1}}}'])
def test_a_torn_last_line_never_happened(store: Store, torn: str) -> None:
    put(store, "/a", a=1)
    with store.path.open("a") as file:
        file.write(torn)
    again = Store(store.path.parent)
    assert [key for key, _ in again.items()] == ["/a"]
    put(again, "/c", c=1)
    assert journal(again)[1:] == ['{"put":{"/a":{"a":1}}}', '{"put":{"/c":{"c":1}}}']
    assert [key for key, _ in store.items()] == ["/a", "/c"]
    again.close()


def test_a_corrupt_journal_is_refused(store: Store) -> None:
    put(store, "/a", a=1)
    store.path.write_text(store.path.read_text() + "rubbish\n")
    again = Store(store.path.parent)
    with pytest.raises(
        StoreError, match=r"is corrupt at byte \d+: the checksum does not fit. .*`gpufleet sandbox reset`"
    ):
        again.items()
    again.close()


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cloud.jsonl").write_text('{"gpufleet-sandbox-cloud":99,"generations":{}}\n')
    store = Store(tmp_path)
    with pytest.raises(StoreError, match="expected format 2, found 99"):
        store.items()
    store.close()


def test_a_full_disk_leaves_the_old_content(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "/a", a=1)
    before = store.path.read_bytes()
    real: Callable[[int, bytes, int], int] = os.pwrite
    room = [10]

    def full(file: int, data: bytes, offset: int) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(room[0], len(data))
        room[0] -= taken
        return real(file, data[:taken], offset)

    monkeypatch.setattr("sandbox.store.os.pwrite", full)
    with pytest.raises(StoreError, match="was not changed: no space left on the disk"):
        put(store, "/b", b=1)
    assert store.path.read_bytes() == before
    monkeypatch.undo()
    put(store, "/c", c=1)
    assert [key for key, _ in store.items()] == ["/a", "/c"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="the sandbox's cloud cannot be kept in"):
        Store(tmp_path / "file" / "cloud")


def test_a_long_history_is_compacted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Store(store.path.parent)
    put(store, "/gone", x=1)
    delete(store, "/gone")
    put(store, "/twice", x=1)
    delete(store, "/twice")
    put(store, "/twice", x=2)
    assert other.get("/twice") == {"x": 2}
    monkeypatch.setattr(store_module, "_COMPACT_BYTES", 600)
    for index in range(40):
        put(store, "/a", n=index)
    assert len(journal(store)) < 30
    for opened in (store, other, Store(store.path.parent)):
        assert sorted(opened.items()) == [("/a", {"n": 39}), ("/twice", {"x": 2})]
        assert opened.generations == {"/gone": 1, "/twice": 2, "/a": 1}
    other.close()


def test_wiping(store: Store) -> None:
    other = Store(store.path.parent)
    put(store, "/a", a=1)
    assert other.items()
    store.wipe()
    assert store.items() == other.items() == []
    put(other, "/b", b=1)
    assert store.items() == [("/b", {"b": 1})]
    other.close()


def test_the_sandboxs_own_records_are_apart_from_the_cloud(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.put("/subscriptions/s/rg", {"a": 1})
        transaction.put("setting/quota/eastus", {"limit": 8})
        assert transaction.under("setting/") == ["setting/quota/eastus"]
    with store.transaction() as transaction:
        assert transaction.under("Setting/") == ["setting/quota/eastus"]
        assert transaction.under("/") == ["/subscriptions/s/rg"]
    again = Store(store.path.parent)
    assert [key for key, _ in again.items("/")] == ["/subscriptions/s/rg"]
    assert [key for key, _ in again.items("setting/")] == ["setting/quota/eastus"]
    assert len(again.items()) == 2
    again.close()
    with store.transaction() as transaction:
        transaction.delete("setting/quota/eastus")
    assert store.items("setting/") == []


# ---- a disk that fails, writers that die


def test_a_flipped_bit_in_the_middle_is_refused(store: Store) -> None:
    for name in ("first", "second", "third"):
        put(store, f"/{name}", name=name)
    data = bytearray(store.path.read_bytes())
    where = data.index(b"second")
    data[where] ^= 1  # still JSON, still a key
    store.path.write_bytes(data)
    line = data.index(b"\n", data.index(b"first")) + 1
    again = Store(store.path.parent)
    with pytest.raises(StoreError, match=f"is corrupt at byte {line}: the checksum does not fit"):
        again.get("/first")
    again.close()
    # What the text says helps: what stands before that byte is whole.
    store.path.write_bytes(data[:line])
    mended = Store(store.path.parent)
    assert [key for key, _ in mended.items()] == ["/first"]
    mended.close()


@pytest.mark.parametrize("length", [0, 1, 20])
def test_a_header_that_was_cut_off_is_written_again(store: Store, length: int) -> None:
    put(store, "/a", a=1)
    store.path.write_bytes(store.path.read_bytes()[:length])  # its writer died with the header
    fresh = Store(store.path.parent)
    assert fresh.items() == []
    put(fresh, "/b", b=1)
    fresh.close()
    again = Store(store.path.parent)
    assert [key for key, _ in again.items()] == ["/b"]
    again.close()


def test_a_folder_that_cannot_be_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "/a", a=1)
    real = os.open

    def read_only(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_CREAT | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, mode)

    monkeypatch.setattr("sandbox.store.os.open", read_only)
    with pytest.raises(StoreError, match=r"cannot be kept in .*: Read-only file system"):
        Store(store.path.parent)


def test_a_disk_that_does_not_take_it_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("sandbox.store.os.fdatasync", broken)
    with pytest.raises(StoreError, match="may not be on the disk: Input/output error"):
        put(store, "/a", a=1)


def test_threads_share_a_call_to_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "/first", a=1)
    calls, real = [], os.fdatasync
    entered, go = threading.Event(), threading.Event()

    def slow(file: int) -> None:
        calls.append(file)
        entered.set()
        assert go.wait(20)
        real(file)

    monkeypatch.setattr("sandbox.store.os.fdatasync", slow)
    threads = [threading.Thread(target=put, args=(store, "/0"), kwargs={"n": 0})]
    threads[0].start()
    assert entered.wait(20)
    # The first is in its call; these have written when it ends, and one more call is enough for all of them.
    threads += [threading.Thread(target=put, args=(store, f"/{n}"), kwargs={"n": n}) for n in range(1, 9)]
    for thread in threads[1:]:
        thread.start()
    while len(store.items()) < 10:
        pass
    go.set()
    for thread in threads:
        thread.join(20)
    assert len(calls) == 2
    assert len(store.items()) == 10


_VICTIM = """
import sys
from pathlib import Path
from sandbox.store import Store
store = Store(Path(sys.argv[1]))
number = 0
while True:
    with store.transaction() as transaction:
        transaction.put(f"/{number}", {"n": number, "filler": "x" * 3000})
        transaction.put("/last", {"n": number})
    print(number, flush=True)
    number += 1
"""


def test_a_killed_writer_loses_nothing_that_it_was_told(tmp_path: Path) -> None:
    for seed in range(4):
        victim = subprocess.Popen(
            [sys.executable, "-c", _VICTIM, str(tmp_path / str(seed))], stdout=subprocess.PIPE, text=True
        )
        assert victim.stdout is not None
        for _ in range(5 + 7 * seed):
            told = int(victim.stdout.readline())
        victim.kill()
        victim.wait()
        store = Store(tmp_path / str(seed))
        last = store.get("/last")
        assert last is not None
        assert last["n"] >= told
        assert sorted(record["n"] for key, record in store.items() if key != "/last") == list(range(last["n"] + 1))
        put(store, "/after", a=1)
        store.close()
        victim.stdout.close()

from __future__ import annotations

import errno
import json
import multiprocessing
import os
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
    return store.path.read_text().splitlines()


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
        '{"gpufleet-sandbox-cloud":1,"generations":{}}',
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
    with pytest.raises(StoreError, match=r"is corrupt: .*'gpufleet sandbox reset' starts over"):
        again.items()
    again.close()


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cloud.jsonl").write_text('{"gpufleet-sandbox-cloud":99,"generations":{}}\n')
    store = Store(tmp_path)
    with pytest.raises(StoreError, match="expected format 1, found 99"):
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

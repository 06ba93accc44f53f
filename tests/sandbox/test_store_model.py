"""The store against a dict: whatever is done to it in whatever order, torn writes and rewrites included."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sandbox import store as store_module
from sandbox.store import RESOURCES, Store
from sandbox.values import Secret

KEYS = st.sampled_from([*(f"/subscriptions/s/{name}" for name in ("a", "A", "b", "b/c")), "fault/1", "setting/x"])
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-5, 5), st.text(max_size=5), st.just(Secret("é\n")), st.booleans()
)
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.dictionaries(st.text(max_size=3), VALUES, max_size=3)), max_size=4)


def _put_and_raise(store: Store, changes: list[tuple[str, dict[str, Any] | None]]) -> None:
    with store.transaction() as transaction:
        for key, record in changes:
            transaction.put(key, record or {})
        raise KeyError


class StoreMachine(RuleBasedStateMachine):
    """Two handles on one folder, as two processes have; either may write, see, or be opened anew."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gpufleet-store-"))
        self.handles = [Store(self.folder), Store(self.folder)]
        self.model: dict[str, Any] = {}
        self.generations: dict[str, int] = {}

    @rule(which=st.integers(0, 1), changes=CHANGES)
    def transact(self, which: int, changes: list[tuple[str, dict[str, Any] | None]]) -> None:
        before = dict(self.model)
        with self.handles[which].transaction() as transaction:
            for key, record in changes:
                if record is None:
                    transaction.delete(key)
                    self.model.pop(key.lower(), None)
                else:
                    transaction.put(key, record)
                    self.model[key.lower()] = record
                assert transaction.get(key) == self.model.get(key.lower())
            for prefix in ("/", "/subscriptions/s/b", "fault/"):
                assert sorted(transaction.under(prefix)) == sorted(k for k in self.model if k.startswith(prefix))
        for key in self.model.keys() - before.keys():
            if key.startswith(RESOURCES):
                self.generations[key] = self.generations.get(key, 0) + 1

    @rule(which=st.integers(0, 1), changes=CHANGES)
    def change_of_mind(self, which: int, changes: list[tuple[str, dict[str, Any] | None]]) -> None:
        with pytest.raises(KeyError):
            _put_and_raise(self.handles[which], changes)

    @rule(cut=st.integers(1, 40))
    def a_writer_dies_inside_its_write(self, cut: int) -> None:
        path = self.folder / "cloud.jsonl"
        if path.exists():
            with path.open("ab") as file:
                file.write(b'{"put":{"/subscriptions/s/a":{"torn":true}},"crc":"00000000"}'[:cut])

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.handles[which].close()
        self.handles[which] = Store(self.folder)

    @rule(which=st.integers(0, 1))
    def reset(self, which: int) -> None:
        self.handles[which].wipe()
        self.model.clear()
        self.generations.clear()

    @invariant()
    def both_see_what_the_model_says(self) -> None:
        for handle in getattr(self, "handles", ()):
            assert dict(handle.items()) == self.model
            assert dict(handle.items("fault/")) == {k: v for k, v in self.model.items() if k.startswith("fault/")}
            assert {k: v for k, v in handle.generations.items() if v} == self.generations

    def teardown(self) -> None:
        for handle in getattr(self, "handles", ()):
            handle.close()
        shutil.rmtree(self.folder)


class RewritingMachine(StoreMachine):
    """The same with a journal that is rewritten every few lines."""

    @initialize()
    def begin(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(store_module, "_COMPACT_BYTES", 400)
        self.patch.setattr(store_module, "_COMPACT_RATIO", 1)
        super().begin()

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


_SETTINGS = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStore = StoreMachine.TestCase
TestStore.settings = _SETTINGS
TestRewriting = RewritingMachine.TestCase
TestRewriting.settings = _SETTINGS

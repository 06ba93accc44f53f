"""The sandbox's Kubernetes and a real API server say yes and no to the same objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from sandbox.contract import ContractBook
from tests.control_plane.cluster import Body, Cluster
from tests.control_plane.manifests import plain
from tests.control_plane.review import Difference, exceptions
from tests.sandbox.kubernetes.mutations import Laboratory, mutations
from tests.sandbox.kubernetes.objects import KINDS, example, token_of
from tests.sandbox.kubernetes.test_rules import ROWS, changed

pytestmark = pytest.mark.control_plane


_RULE = "rule "


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, ContractBook("kubernetes"))


@pytest.mark.parametrize("kind", KINDS)
def test_both_take_the_examples(cluster: Cluster, laboratory: Laboratory, kind: str) -> None:
    assert laboratory.answer_to(token_of(example(kind)), example(kind)) is None
    assert cluster.apply(example(kind)).refusal == ""


def test_both_decide_alike_on_every_rule(cluster: Cluster, laboratory: Laboratory) -> None:
    """rules.yaml has for each rule of the sandbox a violation and the nearest object that passes."""
    book = Book(lambda name: name.startswith(_RULE))
    for rule, kind, bad, _, good in ROWS:
        for changes in (bad, good):
            body = changed(kind, changes)
            book.enter(f"{_RULE}{rule} {kind}", laboratory.answer_to(token_of(body), body), cluster.apply(body).refusal)
    assert not book.wrong(), "\n".join(book.wrong())
    assert book.asked > 400


@pytest.mark.timeout(1500)
def test_both_decide_alike_on_every_mutation(cluster: Cluster, laboratory: Laboratory) -> None:
    """Every field of each kind, once in every way: dropped, renamed, retyped, out of range, formless."""
    book = Book(lambda name: not name.startswith(_RULE))
    # Two objects of a kind have the same fields: one of them answers for both.
    for mutation in {(item.op, item.place, repr(item.value)): item for item in mutations()}.values():
        if not mutation.token.endswith(":Release"):
            real = cluster.apply(_new(plain(mutation.apply()))).refusal
            book.enter(f"{mutation.op} {mutation.place}", laboratory.answer(mutation), real)
    assert not book.wrong(), "\n".join(book.wrong())
    assert book.asked > 3000


class Book:
    """Where the two differed.

    Args:
        mine: which patterns of the exceptions are about what is asked.
    """

    def __init__(self, mine: Callable[[str], bool]) -> None:
        self._listed = [item for item in exceptions().differences if mine(item.mutation)]
        self._used: set[Difference] = set()
        self._differ: Counter[str] = Counter()
        self.asked = 0

    def enter(self, name: str, ours: str | None, real: str) -> None:
        """Note what the sandbox says (None when it takes an object) and what the API server does (empty then)."""
        self.asked += 1
        if (ours is None) == (real == ""):
            return
        sandbox = "takes" if ours is None else "refuses"
        known = next((item for item in self._listed if item.sandbox == sandbox and _fits(item, name)), None)
        if known is None:
            self._differ[f"the sandbox {sandbox}: {name}: {ours or real}"] += 1
        else:
            self._used.add(known)

    def wrong(self) -> list[str]:
        """Differences that are not listed, and what is listed for nothing."""
        needless = [f"not needed: {item.sandbox} {item.mutation}" for item in self._listed if item not in self._used]
        return [*self._differ, *needless]


def _fits(difference: Difference, name: str) -> bool:
    return fnmatchcase(name, difference.mutation.replace("[]", "[[]]"))


def _new(body: Body) -> Body:
    """The object under a name that nothing has: what stands already would be updated."""
    metadata = body.get("metadata")
    if body.get("kind") in {"Namespace", "ServiceAccount"} and isinstance(metadata, dict):
        name = metadata.get("name")
        return {**body, "metadata": {**metadata, "name": f"{name}-again"}} if isinstance(name, str) else body
    return body

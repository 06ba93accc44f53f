"""The sandbox's Kubernetes and a real API server say yes and no to the same objects."""

from __future__ import annotations

from collections import Counter
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


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, ContractBook("kubernetes"))


@pytest.mark.parametrize("kind", KINDS)
def test_both_take_the_examples(cluster: Cluster, laboratory: Laboratory, kind: str) -> None:
    assert laboratory.answer_to(token_of(example(kind)), example(kind)) is None
    assert cluster.apply(example(kind)).refusal == ""


def test_both_decide_alike_on_every_rule(cluster: Cluster, laboratory: Laboratory) -> None:
    """rules.yaml has for each rule of the sandbox a violation and the nearest object that passes."""
    differ = []
    for rule, kind, bad, _, good in ROWS:
        for name, changes in (("violation", bad), ("nearest", good)):
            body = changed(kind, changes)
            ours, real = laboratory.answer_to(token_of(body), body), cluster.apply(body).refusal
            if (ours is None) != (real == ""):
                differ.append(f"{rule} {name} {changes}: the sandbox says {ours!r}, the API server {real!r}")
    assert differ == []
    assert len(ROWS) > 200


def test_both_decide_alike_on_every_mutation(cluster: Cluster, laboratory: Laboratory) -> None:
    """Every field of every object of the stacks and of each kind: dropped, renamed, retyped, out of range, formless."""
    listed = exceptions().differences
    used: set[Difference] = set()
    differ: Counter[str] = Counter()
    asked = 0
    for mutation in mutations():
        if mutation.token.endswith(":Release"):
            continue
        asked += 1
        ours, real = laboratory.answer(mutation), cluster.apply(_new(plain(mutation.apply()))).refusal
        if (ours is None) == (real == ""):
            continue
        sandbox, name = "takes" if ours is None else "refuses", f"{mutation.op} {mutation.place}"
        known = next((item for item in listed if item.sandbox == sandbox and _fits(item, name)), None)
        if known is None:
            differ[f"the sandbox {sandbox}: {name}: {ours or real}"] += 1
        else:
            used.add(known)
    assert dict(differ) == {}
    assert [item.mutation for item in listed if item not in used] == []
    assert asked > 4000


def _fits(difference: Difference, name: str) -> bool:
    return fnmatchcase(name, difference.mutation.replace("[]", "[[]]"))


def _new(body: Body) -> Body:
    """The object under a name that nothing has: what stands already would be updated."""
    metadata = body.get("metadata")
    if body.get("kind") in {"Namespace", "ServiceAccount"} and isinstance(metadata, dict):
        name = metadata.get("name")
        return {**body, "metadata": {**metadata, "name": f"{name}-again"}} if isinstance(name, str) else body
    return body

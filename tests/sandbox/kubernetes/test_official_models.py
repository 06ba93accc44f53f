"""A judge of its own: what the sandbox's Kubernetes accepts, the official client's models accept too."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.contract import ContractBook
from sandbox.kubernetes.kinds import Kind, is_served
from sandbox.providers.kubernetes import Kubernetes
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store
from tests.components.graphs import STACKS, stack_graph, whole_numbers
from tests.sandbox.kubernetes.objects import KINDS, example, token_of
from tests.sandbox.kubernetes.official import complaints, model_of


def accepted(store: Store, book: ContractBook, body: dict[str, Any]) -> bool:
    request = CheckRequest(urn=Urn(token_of(body), "x"), olds={}, news=body)
    return not Kubernetes(store, book).check(request).failures


@pytest.mark.parametrize("kind", KINDS)
def test_examples(store: Store, kubernetes_book: ContractBook, kind: str) -> None:
    body = example(kind)
    assert accepted(store, kubernetes_book, body)
    assert list(complaints(body, model_of(body))) == []


@pytest.mark.parametrize("stack", STACKS)
def test_objects_of_the_stacks(store: Store, kubernetes_book: ContractBook, stack: str) -> None:
    found = [
        whole_numbers(item.inputs)
        for item in stack_graph(stack).resources
        if "kind" in item.inputs and "apiVersion" in item.inputs
    ]
    assert {body["kind"] for body in found} >= {"Namespace", "NodeFeatureRule", "NicClusterPolicy"}
    for body in found:
        assert accepted(store, kubernetes_book, body), body["metadata"]
        # The client has models of built-in kinds alone; those of charts and add-ons are a definition's affair.
        if is_served(Kind.from_token(token_of(body))):
            assert list(complaints(body, model_of(body))) == []


@pytest.mark.parametrize(
    ("kind", "spec", "complaint"),
    [
        ("Service", {"ports": [{"port": "80"}]}, "spec.ports[0].port: str is no int"),
        ("Service", {"port": []}, "spec.port: unknown"),
        ("Deployment", {"template": {}}, "spec: Invalid value for `selector`, must not be `None`"),
    ],
)
def test_the_judge_judges(kind: str, spec: dict[str, Any], complaint: str) -> None:
    body = {**example(kind), "spec": spec}
    assert complaint in list(complaints(body, model_of(body)))

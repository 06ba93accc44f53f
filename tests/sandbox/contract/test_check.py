from __future__ import annotations

import pytest

from sandbox.contract import Contract, ContractBook, check_inputs
from sandbox.contract.model import (
    ANY,
    Array,
    Enumeration,
    Map,
    ObjectShape,
    OneOf,
    Reference,
    Scalar,
    contract_from_json,
    contract_to_json,
)
from sandbox.values import UNKNOWN, Secret, Value

NODE = ObjectShape(
    {"size": Scalar("integer"), "next": Reference("Node"), "free": ANY, "labels": Map(Scalar("string"))},
    frozenset({"size"}),
)
CONTRACT = Contract(
    token="azure-native:t:T",
    api_version="2026-01-01",
    inputs=ObjectShape(
        {
            "name": Scalar("string"),
            "on": Scalar("boolean"),
            "price": Scalar("number"),
            "mode": Enumeration("Mode", ("Fast", "Slow")),
            "nodes": Array(Reference("Node")),
            "target": OneOf((Scalar("string"), Reference("Node"))),
        },
        frozenset({"name", "nodes"}),
    ),
    outputs=ObjectShape({}, frozenset()),
    types={"Node": NODE},
)


@pytest.mark.parametrize(
    ("change", "failures"),
    [
        ({}, {}),
        ({"price": 1}, {}),
        ({"price": 1.5}, {}),
        ({"price": True}, {"price": "'price' should be of type 'number' but got a boolean"}),
        ({"on": "true"}, {"on": "'on' should be of type 'boolean' but got a string"}),
        ({"name": None}, {"name": "missing required property 'name'"}),
        ({"name": UNKNOWN, "nodes": UNKNOWN}, {}),
        ({"name": 3}, {"name": "'name' should be of type 'string' but got a number"}),
        ({"mode": "Fast"}, {}),
        ({"mode": "fast"}, {"mode": "'mode' must be one of 'Fast', 'Slow', but got 'fast'; did you mean 'Fast'?"}),
        (
            {"mode": Secret("Fsat")},
            {"mode": "'mode' must be one of 'Fast', 'Slow', but got 'Fsat'; did you mean 'Fast'?"},
        ),
        ({"nodes": {}}, {"nodes": "'nodes' should be of type 'array' but got an object"}),
        ({"nodes": [{"size": 1.5}]}, {"nodes[0].size": "'nodes[0].size' must be an integer but got 1.5"}),
        (
            {"nodes": [{"size": 1, "next": {"next": {"size": "x", "siz": 1}}}]},
            {
                "nodes[0].next.size": "missing required property 'nodes[0].next.size'",
                "nodes[0].next.next.size": "'nodes[0].next.next.size' should be of type 'integer' but got a string",
                "nodes[0].next.next.siz": "unknown property 'nodes[0].next.next.siz'; did you mean 'size'?",
            },
        ),
        ({"nodes": [{"size": 1, "free": {"any": ["thing"]}}]}, {}),
        (
            {"nodes": [{"size": 1, "labels": {"a/b": 1}}]},
            {'nodes[0].labels["a/b"]': "'nodes[0].labels[\"a/b\"]' should be of type 'string' but got a number"},
        ),
        ({"target": "x"}, {}),
        ({"target": {"size": 1}}, {}),
        ({"target": 3}, {"target": "'target' should be of type 'string' but got a number"}),
        ({"Name": "x"}, {"Name": "unknown property 'Name'; did you mean 'name'?"}),
        ({"zzz": 1}, {"zzz": "unknown property 'zzz'"}),
        ({"__defaults": []}, {}),
    ],
)
def test_failures(change: dict[str, Value], failures: dict[str, str]) -> None:
    inputs = {"name": "n", "nodes": [{"size": 1}], **change}
    assert {failure.path: failure.reason for failure in check_inputs(CONTRACT, inputs)} == failures


def test_a_contract_survives_its_json_form(azure_book: ContractBook) -> None:
    for contract in (CONTRACT, azure_book.get("azure-native:containerservice:AgentPool")):
        assert contract_from_json(contract_to_json(contract)) == contract


def test_a_value_of_the_field_that_the_sdks_enum_lacks(azure_book: ContractBook) -> None:
    contract = azure_book.get("azure-native:containerservice:AgentPool")
    inputs = {"resourceGroupName": "rg", "resourceName": "aks", "osSKU": "Ubuntu2404"}
    assert check_inputs(contract, inputs) == []
    assert [failure.path for failure in check_inputs(contract, {**inputs, "osSKU": "Ubuntu2604"})] == ["osSKU"]

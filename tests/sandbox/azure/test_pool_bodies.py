"""The ARM bodies of every kind of pool, as the components make them, pass the sandbox's checks of types and rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sandbox.contract import ContractBook
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store
from tests.components.pool_bodies import FOLDER, KINDS


@pytest.fixture(scope="module")
def provider(azure_book: ContractBook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureNative]:
    store = Store(tmp_path_factory.mktemp("bodies"))
    yield AzureNative(store, azure_book)
    store.close()


def _written(kind: str) -> dict[str, dict[str, Any]]:
    value: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text(encoding="utf-8"))
    return value


def _failures(provider: AzureNative, body: dict[str, Any], **changes: object) -> list[str]:
    inputs = {
        "resourceGroupName": "rg", "resourceName": "aks", "agentPoolName": body["name"], **body["properties"], **changes
    }  # fmt: skip
    urn = Urn("azure-native:containerservice:AgentPool", "pool")
    checked = provider.check(CheckRequest(urn=urn, olds={}, news=inputs, random_seed=b"x" * 64))
    return [failure.path for failure in checked.failures]


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_of_each_kind_is_taken(kind: str, provider: AzureNative) -> None:
    assert {name: _failures(provider, body) for name, body in _written(kind).items()} == {
        name: [] for name in _written(kind)
    }


@pytest.mark.parametrize(
    ("kind", "changes", "paths"),
    [
        ("nd-gb300-v6", {"osSKU": "Ubuntu"}, ["osSKU"]),
        ("nd-mi300x-v5", {"gpuProfile": {"driver": "Install"}}, ["gpuProfile.driver"]),
        ("nd-mi300x-v5", {"gpuProfile": None}, ["gpuProfile.driver"]),
        ("nd-h100-v5", {"gpuProfile": {"driver": "Install"}}, []),
        ("nd-h100-v5", {"kubeletConfig": {"topologyManager": "none"}}, ["kubeletConfig.topologyManager"]),
        ("nd-h100-v5", {"nodeInitializationTaints": ["a=b:NoSchedule"]}, ["nodeInitializationTaints"]),
    ],
)
def test_what_makes_the_difference_between_kinds(
    kind: str, changes: dict[str, object], paths: list[str], provider: AzureNative
) -> None:
    body = next(iter(_written(kind).values()))
    assert _failures(provider, body, **changes) == paths

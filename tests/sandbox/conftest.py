"""Clouds to test in."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.azure import registry
from sandbox.azure.resource_manager import Resource, ResourceManager
from sandbox.contract import ContractBook
from sandbox.store import Store
from sandbox.values import Properties
from tests.sandbox.engine import Sandbox, make_sandbox

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def azure_book() -> ContractBook:
    """Contracts of azure-native, from the user's cache: compiling them all takes seconds."""
    return ContractBook("azure-native")


@pytest.fixture(scope="session")
def kubernetes_book() -> ContractBook:
    return ContractBook("kubernetes")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "cloud")
    yield opened
    opened.close()


class Azure:
    """A cloud with short ways to make things in it."""

    def __init__(self, store: Store, book: ContractBook) -> None:
        self.book = book
        self.manager = ResourceManager(store, book.get, now=lambda: NOW)

    def create(self, pulumi_type: str, **inputs: object) -> Resource:
        return self.manager.create(registry.by_token(f"azure-native:{pulumi_type}"), dict(inputs))

    def update(self, resource: Resource, **inputs: object) -> Resource:
        return self.manager.update(resource.id, registry.by_token(resource.pulumi_type), dict(inputs))

    def group(self, name: str = "rg") -> Resource:
        return self.create("resources:ResourceGroup", resourceGroupName=name, location="eastus")

    def cluster(self, name: str = "aks", **more: object) -> Resource:
        inputs: Properties = {
            "resourceGroupName": "rg",
            "resourceName": name,
            "location": "eastus",
            "dnsPrefix": name,
            "identity": {"type": "SystemAssigned"},
            "aadProfile": {"managed": True},
            "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 3, "vmSize": "Standard_D4s_v5"}],
        }
        return self.create("containerservice:ManagedCluster", **{**inputs, **more})


@pytest.fixture
def azure(store: Store, azure_book: ContractBook) -> Azure:
    return Azure(store, azure_book)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    yield make_sandbox(tmp_path, monkeypatch)
    gc.collect()

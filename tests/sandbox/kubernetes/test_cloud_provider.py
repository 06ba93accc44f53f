"""Private Link services that annotations of load balancers ask for."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kubernetes.api import Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.store import Store
from tests.sandbox.kubernetes.conftest import CLUSTER

SERVICE = Kind("", "v1", "Service")
PLACE = Address(SERVICE, "default", "gateway")
LINK = "/subscriptions/s/resourceGroups/rg-links/providers/Microsoft.Network/privateLinkServices/pls-gateway"


@pytest.fixture
def store_with_cluster(store: Store) -> Store:
    with store.transaction() as transaction:
        record = {"id": CLUSTER, "created": "2026-11-21T09:00:00Z", "outputs": {"location": "eastus"}}
        transaction.put(CLUSTER, record)
    return store


def service(**annotations: str) -> dict[str, Any]:
    found = {f"service.beta.kubernetes.io/azure-{key.replace('_', '-')}": value for key, value in annotations.items()}
    metadata = {"name": "gateway", "namespace": "default", "annotations": found}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 443}]}}


def test_a_service_makes_its_private_link_service_and_takes_it_along(
    store_with_cluster: Store, api: KubernetesApi
) -> None:
    asked = service(pls_create="true", pls_name="pls-gateway", pls_resource_group="rg-links", pls_visibility="*")
    api.create(PLACE, asked)
    made = store_with_cluster.get(LINK)
    assert made is not None
    assert (made["outputs"]["location"], made["outputs"]["visibility"]) == ("eastus", {"subscriptions": ["*"]})
    assert made["outputs"]["autoApproval"] == {"subscriptions": []}
    api.delete(PLACE)
    assert store_with_cluster.get(LINK) is None


def test_a_dry_run_and_a_service_that_asks_for_none_make_nothing(store_with_cluster: Store, api: KubernetesApi) -> None:
    asked = service(pls_create="true", pls_name="pls-gateway", pls_resource_group="rg-links")
    api.create(PLACE, asked, dry_run=True)
    api.create(PLACE, service(pls_name="pls-gateway", pls_resource_group="rg-links"))
    assert store_with_cluster.get(LINK) is None

"""A sandbox of the test's own with one AKS cluster, which nothing but a kubeconfig leads to."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sandbox.engine import Sandbox, make_sandbox

CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
HOST = "t-1.hcp.eastus.azmk8s.io"
KUBECONFIG = json.dumps(
    {
        "clusters": [{"name": "aks", "cluster": {"server": f"https://{HOST}:443"}}],
        "contexts": [{"name": "aks", "context": {"cluster": "aks", "user": "u"}}],
        "current-context": "aks",
    }
)


@contextmanager
def cluster_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sandbox with the cluster in it."""
    made = make_sandbox(tmp_path, monkeypatch)
    store = made.store
    with store.transaction() as transaction:
        transaction.put(
            CLUSTER,
            {
                "token": "azure-native:containerservice:ManagedCluster",
                "id": CLUSTER,
                "created": "2026-11-21T09:00:00Z",
                "generation": 1,
                "version": 1,
                "inputs": {},
                "outputs": {"fqdn": HOST, "location": "eastus"},
            },
        )
    store.close()
    yield made
    gc.collect()

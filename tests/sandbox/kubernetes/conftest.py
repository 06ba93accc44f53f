"""An API server to test."""

from __future__ import annotations

import datetime as dt

import pytest

from sandbox.kubernetes.api import KubernetesApi
from sandbox.store import Store

CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def api(store: Store) -> KubernetesApi:
    return KubernetesApi(store, CLUSTER, now=lambda: NOW)

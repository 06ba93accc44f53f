from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import KubernetesError
from sandbox.kubernetes.addons import ADDONS, definitions_of_cluster
from sandbox.kubernetes.api import KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.store import Store

CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
SCALED = Kind("keda.sh", "v1alpha1", "ScaledObject")
BODY: dict[str, Any] = {
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "metadata": {"name": "chat", "namespace": "default"},
    "spec": {"scaleTargetRef": {"name": "chat"}, "triggers": [{"type": "cron", "metadata": {"start": "0 6 * * *"}}]},
}


def api(store: Store, inputs: dict[str, Any]) -> KubernetesApi:
    with store.transaction() as transaction:
        transaction.put(CLUSTER, {"id": CLUSTER, "token": "t", "inputs": inputs, "outputs": {}})
    return KubernetesApi(store, CLUSTER)


@pytest.mark.parametrize("inputs", [{}, {"workloadAutoScalerProfile": {"keda": {"enabled": False}}}])
def test_a_cluster_without_the_add_on_has_not_its_kinds(store: Store, inputs: dict[str, Any]) -> None:
    with pytest.raises(KubernetesError) as caught:
        api(store, inputs).require_kind(SCALED)
    assert str(caught.value) == 'no matches for kind "ScaledObject" in version "keda.sh/v1alpha1"'


def test_a_cluster_with_it_checks_them(store: Store) -> None:
    server = api(store, {"workloadAutoScalerProfile": {"keda": {"enabled": True}}})
    server.require_kind(SCALED)
    server.create(server.address(SCALED, BODY["metadata"]), BODY)
    wrong = {**BODY, "metadata": {"name": "other", "namespace": "default"}, "spec": {**BODY["spec"], "maxReplicas": 3}}
    with pytest.raises(KubernetesError, match=r"spec\.maxReplicas"):
        server.create(server.address(SCALED, wrong["metadata"]), wrong)


def test_each_add_on_by_itself() -> None:
    both = {
        "workloadAutoScalerProfile": {"keda": {"enabled": True}},
        "azureMonitorProfile": {"metrics": {"enabled": True}},
    }
    kinds = {one.kind for one in definitions_of_cluster(both)}
    assert kinds == {one.kind for definitions in ADDONS.values() for one in definitions}
    assert {one.kind for one in definitions_of_cluster({"azureMonitorProfile": {"metrics": {"enabled": True}}})} == {
        "PodMonitor",
        "ServiceMonitor",
    }

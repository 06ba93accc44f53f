"""What an object's `pulumi.com/waitFor` waits for, and what controllers of charts say of objects."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.kubernetes.api import RELEASE, Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.pace import Pace
from sandbox.providers.readiness import unmet, wait_until
from sandbox.store import Store

GROUP = "/subscriptions/s/resourceGroups/rg"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/pip"
GATEWAY = Address(Kind("gateway.networking.k8s.io", "v1", "Gateway"), "default", "gateway")
PARAMETERS = Address(Kind("agentgateway.dev", "v1alpha1", "AgentgatewayParameters"), "default", "gateway")
LIVE: dict[str, Any] = {
    "metadata": {"generation": 2},
    "status": {
        "conditions": [
            {"type": "Programmed", "status": "True", "observedGeneration": 2},
            {"type": "Available", "status": "True", "observedGeneration": 1},
            {"type": "InferenceSetReady", "status": "True"},
        ],
        "addresses": [{"value": "20.1.2.3"}],
    },
}


@pytest.mark.parametrize(
    ("wait_for", "missing"),
    [
        ("condition=programmed", []),
        ("condition=Available", ["condition=Available"]),
        ("condition=Programmed=False", ["condition=Programmed=False"]),
        ('["condition=Programmed", "jsonpath={.status.addresses[0].value}"]', []),
        ("jsonpath={.status.conditions[?(@.type=='InferenceSetReady')].status}=True", []),
        ("jsonpath={.status.addresses[1].value}", ["jsonpath={.status.addresses[1].value}"]),
        ("jsonpath={.status.addresses[0].value}=20.1.2.4", ["jsonpath={.status.addresses[0].value}=20.1.2.4"]),
    ],
)
def test_what_holds(wait_for: str, missing: list[str]) -> None:
    assert unmet(wait_for, LIVE) == missing


@pytest.mark.parametrize(
    ("wait_for", "error"),
    [
        ("ready", 'expected a "jsonpath=" or "condition=" prefix, got "ready"'),
        ("[]", "at least one condition must be specified"),
        ("jsonpath=.status", ".status should be wrapped in brackets { ... }"),
    ],
)
def test_what_the_provider_can_not_read(wait_for: str, error: str) -> None:
    with pytest.raises(SandboxError) as caught:
        unmet(wait_for, LIVE)
    assert str(caught.value) == error


def test_a_wait_takes_its_time_and_ends_with_the_timeout() -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    pace = Pace(1.0, wait)
    wait_until("condition=Programmed", lambda: LIVE, pace, seconds=90, timeout=600)
    assert waits == [90]
    with pytest.raises(SandboxError) as caught:
        wait_until("condition=Available", lambda: LIVE, pace, seconds=90, timeout=100)
    assert str(caught.value) == "timed out waiting for the condition: condition=Available"
    assert waits == [90, 90, 5, 5]
    with pytest.raises(SandboxError):
        wait_until("condition=Programmed", lambda: LIVE, pace, seconds=90, timeout=60)
    assert waits == [90, 90, 5, 5, 60]


def test_a_gateway_has_an_address_once_its_controller_and_the_public_address_are_there(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.put(CLUSTER, {"id": CLUSTER, "created": "", "inputs": {}, "outputs": {"location": "eastus"}})
    api = KubernetesApi(store, CLUSTER)
    annotations = {"service.beta.kubernetes.io/azure-pip-name": "pip"}
    metadata = {"name": "gateway", "namespace": "default"}
    service = {"service": {"metadata": {"annotations": annotations}}}
    api.create(PARAMETERS, {"kind": "AgentgatewayParameters", "metadata": metadata, "spec": service})
    named = {"group": "agentgateway.dev", "kind": "AgentgatewayParameters", "name": "gateway"}
    spec = {"gatewayClassName": "agentgateway", "infrastructure": {"parametersRef": named}}
    api.create(GATEWAY, {"kind": "Gateway", "metadata": metadata, "spec": spec})
    assert "status" not in (api.observed(GATEWAY) or {})
    release = Address(RELEASE, "default", "agentgateway")
    api.put_release(release, {"chart": "oci://cr.agentgateway.dev/charts/agentgateway"}, create=True)
    found = (api.observed(GATEWAY) or {})["status"]
    assert [(one["type"], one["status"]) for one in found["conditions"]] == [
        ("Accepted", "True"),
        ("Programmed", "True"),
    ]
    assert "addresses" not in found
    with store.transaction() as transaction:
        transaction.put(ADDRESS, {"id": ADDRESS, "outputs": {"ipAddress": "20.1.2.3"}})
    found = (api.observed(GATEWAY) or {})["status"]
    assert found["addresses"] == [{"type": "IPAddress", "value": "20.1.2.3"}]
    assert "status" not in (api.get(GATEWAY) or {})


def test_a_private_link_service_is_made_with_the_gateway_and_not_with_its_parameters(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.put(CLUSTER, {"id": CLUSTER, "created": "", "inputs": {}, "outputs": {"location": "eastus"}})
    api = KubernetesApi(store, CLUSTER)
    prefix = "service.beta.kubernetes.io/azure-"
    annotations = {f"{prefix}pls-create": "true", f"{prefix}pls-name": "pls", f"{prefix}pls-resource-group": "rg"}
    metadata = {"name": "gateway", "namespace": "default"}
    service = {"service": {"metadata": {"annotations": annotations}}}
    api.create(PARAMETERS, {"kind": "AgentgatewayParameters", "metadata": metadata, "spec": service})
    link = f"{GROUP}/providers/Microsoft.Network/privateLinkServices/pls"
    assert store.get(link) is None
    named = {"group": "agentgateway.dev", "kind": "AgentgatewayParameters", "name": "gateway"}
    api.create(GATEWAY, {"kind": "Gateway", "metadata": metadata, "spec": {"infrastructure": {"parametersRef": named}}})
    assert store.get(link) is not None
    api.delete(GATEWAY)
    assert store.get(link) is None

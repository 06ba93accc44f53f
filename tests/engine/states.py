"""States as the engine exports them, small ones."""

from __future__ import annotations

from gpufleet.engine.doubts import Record, State

SUBSCRIPTION = "5a4db0c5-0000-4000-8000-000000000001"
GROUP_TYPE = "azure-native:resources:ResourceGroup"
POOL_TYPE = "azure-native:containerservice:AgentPool"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
POOL_ID = f"{GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/aks/agentPools/h100"
PROVIDER_URN = "urn:pulumi:dev::gpufleet::pulumi:providers:azure-native::default"
PROVIDER = f"{PROVIDER_URN}::p-1"
POOL_INPUTS = {
    "resourceGroupName": "rg",
    "resourceName": "aks",
    "agentPoolName": "h100",
    "count": 2,
    "tags": {"environment": "dev"},
}


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::gpufleet::{kind}::{name}"


def provider() -> Record:
    return {"urn": PROVIDER_URN, "custom": True, "id": "p-1", "type": "pulumi:providers:azure-native"}


def group() -> Record:
    inputs = {"resourceGroupName": "rg", "location": "eastus"}
    return {
        "urn": urn(GROUP_TYPE, "rg"),
        "custom": True,
        "type": GROUP_TYPE,
        "id": GROUP_ID,
        "inputs": inputs,
        "outputs": {**inputs, "provisioningState": "Succeeded"},
        "provider": PROVIDER,
    }


def pool(**more: object) -> Record:
    """A pool that was to be made: no id yet."""
    return {
        "urn": urn(POOL_TYPE, "h100"),
        "custom": True,
        "type": POOL_TYPE,
        "inputs": dict(POOL_INPUTS),
        "provider": PROVIDER,
        "dependencies": [urn(GROUP_TYPE, "rg")],
        **more,
    }


def state(*resources: Record, pending: tuple[tuple[str, Record], ...] = ()) -> State:
    deployment: dict[str, object] = {"resources": [provider(), group(), *resources]}
    if pending:
        deployment["pending_operations"] = [{"type": kind, "resource": record} for kind, record in pending]
    return {"version": 3, "deployment": deployment}

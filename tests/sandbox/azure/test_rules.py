"""Each rule of a resource type with a violating and a nearest passing case."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure.model import SANDBOX_SUBSCRIPTION
from sandbox.contract import ContractBook
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store

POOL = {"resourceGroupName": "rg", "resourceName": "aks", "agentPoolName": "h100a", "vmSize": "x", "count": 1}
SPOT = {**POOL, "scaleSetPriority": "Spot"}
SCALED = {**POOL, "enableAutoScaling": True, "minCount": 1, "maxCount": 4}
CLUSTER = {
    "resourceGroupName": "rg",
    "resourceName": "aks",
    "location": "eastus",
    "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 3}],
}
LUSTRE = {
    "resourceGroupName": "rg",
    "amlFilesystemName": "amlfs-a",
    "location": "eastus",
    "filesystemSubnet": "/subscriptions/s/x",
    "maintenanceWindow": {"dayOfWeek": "Sunday", "timeOfDayUTC": "02:00"},
    "sku": {"name": "AMLFS-Durable-Premium-250"},
    "storageCapacityTiB": 8,
}
BUDGET = {
    "scope": "/subscriptions/s",
    "budgetName": "bud-a",
    "amount": 1,
    "category": "Cost",
    "timeGrain": "Monthly",
    "timePeriod": {"startDate": "2026-12-01T00:00:00Z"},
}
NOTICE = {"enabled": True, "operator": "GreaterThan", "threshold": 80, "contactEmails": []}
ACCOUNT = {"resourceGroupName": "rg", "location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}}
ADDRESS = {"resourceGroupName": "rg", "publicIpAddressName": "pip", "location": "eastus"}
DIAGNOSTICS = {"resourceUri": "/subscriptions/s/x", "name": "d", "workspaceId": "w", "logs": [{"enabled": True}]}
ASSIGNMENT = {
    "scope": "/subscriptions/s",
    "principalId": "5a4db0c5-0000-4000-8000-0000000000c2",
    "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
}
GROUP = {"location": "eastus"}


def inline(**profile: object) -> dict[str, Any]:
    return {"agentPoolProfiles": [{"name": "system", "mode": "System", "count": 3, **profile}]}


# type, good inputs, change that breaks them, path of the failure, nearest change that passes
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str, dict[str, Any]]] = [
    (
        "resources:ResourceGroup",
        GROUP,
        {"resourceGroupName": "rg."},
        "resourceGroupName",
        {"resourceGroupName": "rg.a"},
    ),
    (
        "resources:ResourceGroup",
        GROUP,
        {"resourceGroupName": "r" * 91},
        "resourceGroupName",
        {"resourceGroupName": "r" * 90},
    ),
    ("containerservice:AgentPool", POOL, {"agentPoolName": "H100"}, "agentPoolName", {"agentPoolName": "h100"}),
    ("containerservice:AgentPool", POOL, {"agentPoolName": "h" * 13}, "agentPoolName", {"agentPoolName": "h" * 12}),
    ("containerservice:AgentPool", POOL, {"count": 1001}, "count", {"count": 1000}),
    ("containerservice:AgentPool", POOL, {"osDiskSizeGB": 2049}, "osDiskSizeGB", {"osDiskSizeGB": 2048}),
    ("containerservice:AgentPool", POOL, {"maxPods": 251}, "maxPods", {"maxPods": 250}),
    ("containerservice:AgentPool", POOL, {"minCount": 1}, "minCount", {"enableAutoScaling": False}),
    ("containerservice:AgentPool", SCALED, {"minCount": 5}, "minCount", {"minCount": 4}),
    ("containerservice:AgentPool", SCALED, {"maxCount": None}, "maxCount", {"maxCount": 1}),
    (
        "containerservice:AgentPool",
        SCALED,
        {"mode": "System", "minCount": 0},
        "minCount",
        {"mode": "User", "minCount": 0},
    ),
    (
        "containerservice:AgentPool",
        POOL,
        {"spotMaxPrice": -1},
        "spotMaxPrice",
        {"scaleSetPriority": "Spot", "spotMaxPrice": -1},
    ),
    ("containerservice:AgentPool", POOL, {"scaleSetEvictionPolicy": "Delete"}, "scaleSetEvictionPolicy", {}),
    ("containerservice:AgentPool", SPOT, {"spotMaxPrice": 0}, "spotMaxPrice", {"spotMaxPrice": 0.00001}),
    ("containerservice:AgentPool", SPOT, {"mode": "System"}, "scaleSetPriority", {"mode": "User"}),
    (
        "containerservice:AgentPool",
        SPOT,
        {"upgradeSettings": {"maxSurge": "1"}},
        "upgradeSettings.maxSurge",
        {"upgradeSettings": {}},
    ),
    (
        "containerservice:AgentPool",
        POOL,
        {"upgradeSettings": {"maxSurge": "0"}},
        "upgradeSettings.maxSurge",
        {"upgradeSettings": {"maxSurge": "0", "maxUnavailable": "1"}},
    ),
    (
        "containerservice:AgentPool",
        POOL,
        {"orchestratorVersion": "1.x"},
        "orchestratorVersion",
        {"orchestratorVersion": "1.34.2"},
    ),
    (
        "containerservice:ManagedCluster",
        CLUSTER,
        {"disableLocalAccounts": True},
        "disableLocalAccounts",
        {"disableLocalAccounts": False},
    ),
    (
        "containerservice:ManagedCluster",
        CLUSTER,
        {"disableLocalAccounts": True},
        "disableLocalAccounts",
        {"disableLocalAccounts": True, "aadProfile": {"managed": True}},
    ),
    ("containerservice:ManagedCluster", CLUSTER, {"agentPoolProfiles": []}, "agentPoolProfiles", inline()),
    ("containerservice:ManagedCluster", CLUSTER, inline(mode="User"), "agentPoolProfiles", inline(mode="System")),
    (
        "containerservice:ManagedCluster",
        CLUSTER,
        inline(name="sys-tem"),
        "agentPoolProfiles[0].name",
        inline(name="sys"),
    ),
    ("containerservice:ManagedCluster", CLUSTER, inline(spotMaxPrice=1), "agentPoolProfiles[0].spotMaxPrice", inline()),
    ("containerservice:ManagedCluster", CLUSTER, {"dnsPrefix": "a" * 55}, "dnsPrefix", {"dnsPrefix": "a" * 54}),
    (
        "containerservice:MaintenanceConfiguration",
        {"resourceGroupName": "rg", "resourceName": "aks"},
        {"configName": "weekly"},
        "configName",
        {"configName": "default"},
    ),
    (
        "storagecache:AmlFilesystem",
        LUSTRE,
        {"storageCapacityTiB": 12},
        "storageCapacityTiB",
        {"storageCapacityTiB": 16},
    ),
    ("storagecache:AmlFilesystem", LUSTRE, {"storageCapacityTiB": 4}, "storageCapacityTiB", {"storageCapacityTiB": 8}),
    (
        "storagecache:AmlFilesystem",
        LUSTRE,
        {"sku": {"name": "Premium"}},
        "sku.name",
        {"sku": {"name": "AMLFS-Durable-Premium-500"}},
    ),
    ("storagecache:AmlFilesystem", LUSTRE, {"zones": ["1", "2"]}, "zones", {"zones": ["1"]}),
    (
        "storagecache:AmlFilesystem",
        LUSTRE,
        {"amlFilesystemName": "a"},
        "amlFilesystemName",
        {"amlFilesystemName": "ab"},
    ),
    ("consumption:Budget", BUDGET, {"amount": 0}, "amount", {"amount": 0.01}),
    (
        "consumption:Budget",
        BUDGET,
        {"timePeriod": {"startDate": "2026-12-02"}},
        "timePeriod.startDate",
        {"timePeriod": {"startDate": "2026-12-01"}},
    ),
    (
        "consumption:Budget",
        BUDGET,
        {"timePeriod": {"startDate": "2017-05-01"}},
        "timePeriod.startDate",
        {"timePeriod": {"startDate": "2017-06-01"}},
    ),
    (
        "consumption:Budget",
        BUDGET,
        {"timePeriod": {"startDate": "2026-12-01", "endDate": "2026-12-01"}},
        "timePeriod.endDate",
        {"timePeriod": {"startDate": "2026-12-01", "endDate": "2027-12-01"}},
    ),
    (
        "consumption:Budget",
        BUDGET,
        {"notifications": {f"n{index}": NOTICE for index in range(6)}},
        "notifications",
        {"notifications": {f"n{index}": NOTICE for index in range(5)}},
    ),
    (
        "consumption:Budget",
        BUDGET,
        {"notifications": {"n": {**NOTICE, "threshold": 1001}}},
        "notifications.n.threshold",
        {"notifications": {"n": {**NOTICE, "threshold": 1000}}},
    ),
    ("storage:StorageAccount", ACCOUNT, {"accountName": "st-a"}, "accountName", {"accountName": "sta"}),
    ("storage:StorageAccount", ACCOUNT, {"accountName": "s" * 25}, "accountName", {"accountName": "s" * 24}),
    (
        "storage:BlobContainer",
        {"resourceGroupName": "rg", "accountName": "sta"},
        {"containerName": "a--b"},
        "containerName",
        {"containerName": "a-b"},
    ),
    (
        "containerregistry:Registry",
        {"resourceGroupName": "rg", "location": "eastus", "sku": {"name": "Premium"}},
        {"registryName": "cr-abc"},
        "registryName",
        {"registryName": "crabc"},
    ),
    (
        "network:PublicIPAddress",
        ADDRESS,
        {"sku": {"name": "Standard"}},
        "publicIPAllocationMethod",
        {"sku": {"name": "Standard"}, "publicIPAllocationMethod": "Static"},
    ),
    (
        "network:PublicIPAddress",
        ADDRESS,
        {"dnsSettings": {"domainNameLabel": "1st"}},
        "dnsSettings.domainNameLabel",
        {"dnsSettings": {"domainNameLabel": "first"}},
    ),
    (
        "network:Subnet",
        {"resourceGroupName": "rg", "virtualNetworkName": "vnet", "subnetName": "s"},
        {"addressPrefix": "10.0.0.1/24"},
        "addressPrefix",
        {"addressPrefix": "10.0.0.0/24"},
    ),
    ("monitor:DiagnosticSetting", DIAGNOSTICS, {"workspaceId": None}, "workspaceId", {"storageAccountId": "s"}),
    ("monitor:DiagnosticSetting", DIAGNOSTICS, {"logs": []}, "logs", {"logs": [], "metrics": [{"enabled": True}]}),
    (
        "monitor:ActionGroup",
        {"resourceGroupName": "rg", "actionGroupName": "ag", "location": "global", "enabled": True},
        {"groupShortName": "a" * 13},
        "groupShortName",
        {"groupShortName": "a" * 12},
    ),
    (
        "cdn:Profile",
        {"resourceGroupName": "rg", "profileName": "afd", "sku": {"name": "Premium_AzureFrontDoor"}},
        {"location": "eastus"},
        "location",
        {"location": "Global"},
    ),
    (
        "cdn:Profile",
        {
            "resourceGroupName": "rg",
            "profileName": "afd",
            "location": "global",
            "sku": {"name": "Premium_AzureFrontDoor"},
        },
        {"originResponseTimeoutSeconds": 241},
        "originResponseTimeoutSeconds",
        {"originResponseTimeoutSeconds": 240},
    ),
    (
        "cdn:AFDOrigin",
        {"resourceGroupName": "rg", "profileName": "afd", "originGroupName": "g", "originName": "o"},
        {"priority": 6},
        "priority",
        {"priority": 5},
    ),
    (
        "privatedns:PrivateZone",
        {"resourceGroupName": "rg", "privateZoneName": "a.b"},
        {"location": "eastus"},
        "location",
        {"location": "global"},
    ),
    (
        "authorization:RoleAssignment",
        ASSIGNMENT,
        {"roleDefinitionId": "00000000-0000-0000-0000-000000000000"},
        "roleDefinitionId",
        {"roleDefinitionId": "7f951dda-4ed3-4680-a7ca-43fe172d538d"},
    ),
    ("authorization:RoleAssignment", ASSIGNMENT, {"principalId": "me"}, "principalId", {"principalType": "User"}),
    (
        "operationalinsights:Workspace",
        {"resourceGroupName": "rg", "location": "eastus"},
        {"workspaceName": "log"},
        "workspaceName",
        {"workspaceName": "log1"},
    ),
    (
        "managedidentity:UserAssignedIdentity",
        {"resourceGroupName": "rg", "location": "eastus"},
        {"resourceName": "id"},
        "resourceName",
        {"resourceName": "id1"},
    ),
]


@pytest.fixture
def provider(store: Store, azure_book: ContractBook) -> AzureNative:
    return AzureNative(store, azure_book)


def failures(provider: AzureNative, kind: str, inputs: dict[str, Any]) -> list[str]:
    urn = Urn(f"azure-native:{kind}", "generatedname")
    news = {key: value for key, value in inputs.items() if value is not None}
    checked = provider.check(CheckRequest(urn=urn, olds={}, news=news, random_seed=b"x" * 64))
    return [failure.path for failure in checked.failures]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[3]}")
def test_rule(case: tuple[str, dict[str, Any], dict[str, Any], str, dict[str, Any]], provider: AzureNative) -> None:
    kind, good, bad, path, passing = case
    assert path in failures(provider, kind, {**good, **bad})
    assert failures(provider, kind, {**good, **passing}) == []


def test_the_subscription_is_fictional() -> None:
    assert SANDBOX_SUBSCRIPTION == "5a4db0c5-0000-4000-8000-000000000001"

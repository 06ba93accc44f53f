from __future__ import annotations

import pytest

from gpufleet.spec.base import Path
from tests.components.graphs import build, stack_graph
from tests.spec.environments import POOL, changed

STORAGE = ("training", 0, "storage")


def test_lustre() -> None:
    file_system = stack_graph("prod").one("storagecache:AmlFilesystem").inputs
    assert {key: value for key, value in file_system.items() if key != "tags"} == {
        "amlFilesystemName": "amlfs-prod-frontier",
        "resourceGroupName": "rg-prod-frontier",
        "location": "eastus",
        "sku": {"name": "AMLFS-Durable-Premium-250"},
        "storageCapacityTiB": 48,
        "zones": ["1"],
        "filesystemSubnet": "frontier-network-snet-lustre-id",
        "maintenanceWindow": {"dayOfWeek": "Sunday", "timeOfDayUTC": "02:00"},
    }


def test_a_stated_capacity_zone_and_window_are_taken() -> None:
    lustre = {
        "sku": "AMLFS-Durable-Premium-250",
        "capacityTiB": 64,
        "zone": "3",
        "maintenance": {"day": "Tuesday", "timeUtc": "22:30"},
    }
    file_system = build(changed({(*STORAGE, "lustre"): lustre})).one("storagecache:AmlFilesystem").inputs
    assert file_system["storageCapacityTiB"] == 64
    assert file_system["zones"] == ["3"]
    assert file_system["maintenanceWindow"] == {"dayOfWeek": "Tuesday", "timeOfDayUTC": "22:30"}


def test_lustre_is_in_the_zone_of_the_pools() -> None:
    zones: dict[Path, object] = {(*POOL, "zones"): ["2"], ("training", 0, "pools", 1, "zones"): ["2"]}
    assert build(changed(zones)).one("storagecache:AmlFilesystem").inputs["zones"] == ["2"]


def test_the_account_is_closed_to_keys_and_the_public() -> None:
    account = stack_graph("dev").one("storage:StorageAccount").inputs
    assert {key: value for key, value in account.items() if key not in ("tags", "accountName")} == {
        "resourceGroupName": "rg-dev-lab",
        "location": "eastus",
        "kind": "StorageV2",
        "sku": {"name": "Standard_ZRS"},
        "accessTier": "Hot",
        "isHnsEnabled": False,
        "allowSharedKeyAccess": False,
        "defaultToOAuthAuthentication": True,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "isLocalUserEnabled": False,
        "enableHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
        "publicNetworkAccess": "Disabled",
        "networkRuleSet": {"defaultAction": "Deny", "bypass": "None"},
    }


@pytest.mark.parametrize(
    ("tier", "region", "kind", "sku"),
    [
        ("standard", "eastus", "StorageV2", "Standard_ZRS"),
        ("premium", "eastus", "BlockBlobStorage", "Premium_ZRS"),
        ("standard", "northcentralus", "StorageV2", "Standard_LRS"),
        ("premium", "northcentralus", "BlockBlobStorage", "Premium_LRS"),
    ],
)
def test_redundancy_follows_tier_and_region(tier: str, region: str, kind: str, sku: str) -> None:
    graph = build(changed({
        (*STORAGE, "blob"): {"tier": tier},
        ("training", 0, "region"): region,
        ("allowedRegions",): [region, "swedencentral"],
    }))  # fmt: skip
    account = graph.one("storage:StorageAccount").inputs
    assert (account["kind"], account["sku"]) == (kind, {"name": sku})
    assert ("accessTier" in account) is (tier == "standard")
    assert ("zones" in graph.one("storagecache:AmlFilesystem").inputs) is (region == "eastus")


def test_containers() -> None:
    graph = build(changed({(*STORAGE, "blob"): {"containers": ["weights", "logs"]}}))
    assert {r.inputs["containerName"]: r.inputs["publicAccess"] for r in graph.of("storage:BlobContainer")} == {
        "weights": "None",
        "logs": "None",
    }


def test_blobs_are_reached_by_private_endpoint_and_name() -> None:
    graph = stack_graph("dev")
    endpoint = graph.one("network:PrivateEndpoint").inputs
    assert endpoint["subnet"]["id"] == "lab-network-snet-privateendpoints-id"
    assert endpoint["privateLinkServiceConnections"] == [
        {"name": "blob", "privateLinkServiceId": "lab-storage-blobs-id", "groupIds": ["blob"]}
    ]
    zone = graph.one("privatedns:PrivateZone").inputs
    assert (zone["privateZoneName"], zone["location"]) == ("privatelink.blob.core.windows.net", "Global")
    link = graph.one("privatedns:VirtualNetworkLink").inputs
    assert link["privateZoneName"] == "privatelink.blob.core.windows.net"
    assert link["virtualNetwork"] == {"id": "lab-network-vnet-id"}
    assert link["registrationEnabled"] is False
    group = graph.one("network:PrivateDnsZoneGroup").inputs
    assert group["privateDnsZoneConfigs"] == [{"name": "blob", "privateDnsZoneId": "lab-storage-dns-zone-id"}]

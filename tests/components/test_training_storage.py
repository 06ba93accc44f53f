from __future__ import annotations

import pytest

from components.training_volumes import lustre_driver_values
from gpufleet.spec.base import Path
from gpufleet.spec.pool import Pool
from tests.components.graphs import build, stack_graph
from tests.components.storage import (
    GOLDEN,
    PROVIDER,
    STORAGE,
    azure_bodies,
    documents,
    graph,
    leaves,
    manifests,
    told,
)
from tests.spec.environments import POOL, changed


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


def test_the_written_manifests_are_current() -> None:
    text = "run python -m tests.components.write_storage_golden"
    assert {path.name: path.read_text() for path in GOLDEN.iterdir()} == documents(), text


def test_blob_integration_comes_after_all_it_needs() -> None:
    after = azure_bodies()["lab-storage-amlfs"]["after"]

    assert set(after) >= {
        "lab-storage-hsm.corpus",
        "lab-storage-hsm.corpus-logs",
        "lab-storage-role-hsm-account",
        "lab-storage-role-hsm-blobs",
        "lab-storage-dns-group-hsm",
        "lab-cluster-aks",
    }


def test_the_provider_has_both_roles_on_its_account_alone() -> None:
    roles = {
        one.inputs["roleDefinitionId"].rpartition("/")[2]: one.inputs["scope"]
        for one in graph().of("authorization:RoleAssignment")
        if one.inputs["principalId"] == PROVIDER
    }

    assert roles == {
        "17d1049b-9a84-46fb-8f53-869881c3d3ab": "lab-storage-hsm-id",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "lab-storage-hsm-id",
    }


def test_keys_and_nfs_are_in_accounts_of_their_own() -> None:
    accounts = {one.name: one.inputs for one in graph().of("storage:StorageAccount")}

    told = ("allowSharedKeyAccess", "enableNfsV3", "isHnsEnabled", "enableHttpsTrafficOnly", "publicNetworkAccess")
    assert {name: tuple(inputs.get(key) for key in told) for name, inputs in accounts.items()} == {
        "lab-storage-blobs": (False, None, False, True, "Disabled"),
        "lab-storage-hsm": (True, None, False, True, "Disabled"),
        "lab-storage-nfs": (False, True, True, False, "Disabled"),
    }
    assert len({inputs["accountName"] for inputs in accounts.values()}) == 3


def test_without_blobs_by_api_the_nfs_account_is_the_fabric_s() -> None:
    blob = {"containers": [{"name": "shared", "mount": "nfs"}]}
    found = build(changed({(*STORAGE, "blob"): blob}))

    assert [one.name for one in found.of("storage:StorageAccount")] == ["lab-storage-nfs"]
    assert found.outputs["storageAccounts"] == {"lab": found.one("storage:StorageAccount").inputs["accountName"]}


def test_mounts_switch_the_blob_driver_on() -> None:
    profile = {"blobCSIDriver": {"enabled": True}}
    assert graph().one("containerservice:ManagedCluster", "lab-cluster-aks").inputs["storageProfile"] == profile
    assert "storageProfile" not in stack_graph("dev").one("containerservice:ManagedCluster", "lab-cluster-aks").inputs


def test_every_volume_is_kept_and_is_one_claim_s() -> None:
    volumes = {one.name.removesuffix("-claim"): one for one in graph().of("core/v1:PersistentVolumeClaim")}
    for volume in graph().of("core/v1:PersistentVolume"):
        spec, claim = volume.inputs["spec"], volumes.pop(volume.name).inputs
        assert spec["persistentVolumeReclaimPolicy"] == "Retain"
        assert spec["storageClassName"] == claim["spec"]["storageClassName"] == ""
        assert (spec["claimRef"]["namespace"], spec["claimRef"]["name"]) == (
            claim["metadata"]["namespace"],
            claim["metadata"]["name"],
        )
        assert spec["capacity"]["storage"] == claim["spec"]["resources"]["requests"]["storage"]
        assert claim["spec"]["volumeName"] == volume.inputs["metadata"]["name"]
    assert volumes == {}


def test_caches_of_all_mounts_fit_into_their_share_of_the_scratch() -> None:
    options = [
        option
        for one in graph().of("core/v1:PersistentVolume")
        for option in one.inputs["spec"].get("mountOptions", ())
        if option.startswith("--block-cache-")
    ]
    paths = [option.partition("=")[2] for option in options if "-path=" in option]
    sizes = [int(option.partition("=")[2]) for option in options if "-disk-size=" in option]

    assert sorted(paths) == ["/mnt/nvme/blobfuse/language/checkpoints", "/mnt/nvme/blobfuse/vision/checkpoints"]
    # Half of 30,720 GB, in MB.
    assert sum(sizes) == 15_360_000


def test_a_daemon_set_that_tolerates_start_up_taints_and_own_ones() -> None:
    pools = [
        Pool.model_validate(
            {"name": "a", "sku": "Standard_D4s_v5", "nodes": 1, "taints": ["team=x:NoSchedule", "hot:NoExecute"]}
        )
    ]
    node = lustre_driver_values(pools)["node"]
    assert isinstance(node, dict)

    assert node["tolerations"][-3:] == [
        {"key": "azurelustre.csi.azure.com/agent-not-ready", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "hot", "operator": "Exists", "effect": "NoExecute"},
    ]


def test_the_guide_has_every_field_and_value() -> None:
    missing = [
        f"{resource['type']} {field}: {value}"
        for resource in azure_bodies().values()
        for field, value in leaves(resource["properties"])
        if not told(field, value)
    ]
    missing += [f"{one.get('kind', one.get('chart'))} {field}: {value}"
        for one in manifests() for field, value in leaves(one) if not told(field, value)]  # fmt: skip

    assert missing == []

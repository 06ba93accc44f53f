from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from gpufleet.cost import Estimate
from gpufleet.cost.money import Bounds
from gpufleet.cost.pricers.compute import os_disk_tier
from gpufleet.spec import parse_environment
from tests.cost.samples import H100, fabric, plain, priced_one, resource, with_pools

_D4 = "Standard_D4ds_v5"
_SYSTEM = {"name": "system", "vmSize": _D4, "count": 3, "osDiskSizeGB": 128}


def _of(type_: str, usage: Mapping[str, float] | None = None, **properties: object) -> Estimate:
    return priced_one(resource(type_, "x", fabric(), **properties), parse_environment(plain(usage=usage or {})))


def _ceilings(found: Estimate) -> dict[str, str]:
    return {line.meter: f"{line.amount.monthly.ceiling}" for line in found.lines}


def _gaps(found: Estimate) -> dict[str, str]:
    return {part.meter: " ".join(filter(None, (part.reason, part.fix))) for part in found.unpriced}


@pytest.mark.parametrize(
    ("tier", "meter", "usd"),
    [("Free", "AKS: Control plane Free", "0.00"), ("Standard", "AKS: Control plane Standard (uptime SLA)", "73.00")],
)
def test_control_planes(tier: str, meter: str, usd: str) -> None:
    found = _of("containerservice:ManagedCluster", sku={"tier": tier}, agentPoolProfiles=[_SYSTEM])
    assert _ceilings(found) == {meter: usd, f"{_D4} regular": "494.94"}
    assert _gaps(found) == {}


def test_the_premium_tier_has_no_public_price() -> None:
    found = _of("containerservice:ManagedCluster", sku={"tier": "Premium"}, agentPoolProfiles=[_SYSTEM])
    assert list(_gaps(found)) == ["AKS: Control plane Premium (Standard + LTS)"]
    assert _gaps(_of("containerservice:ManagedCluster", sku={"tier": "Gold"}, agentPoolProfiles=[])) == {
        "a control plane of the tier Gold": "a control plane of the tier Gold has no price Give the program a plain "
        "value, or extend the pricer"
    }


def test_a_private_api_server_brings_an_endpoint() -> None:
    found = _of(
        "containerservice:ManagedCluster",
        sku={"tier": "Free"},
        agentPoolProfiles=[_SYSTEM],
        apiServerAccessProfile={"enablePrivateCluster": True},
    )
    assert _ceilings(found)["Private Endpoint: Endpoint"] == "7.30"


@pytest.mark.parametrize("profiles", [None, object(), [object()], [{"vmSize": _D4}], [{"vmSize": 3, "count": 1}]])
def test_inline_pools_that_are_not_known_are_unpriced(profiles: object) -> None:
    found = _of("containerservice:ManagedCluster", sku={"tier": "Free"}, agentPoolProfiles=profiles)
    assert list(_gaps(found)) == ["a VM size that is not known yet"]


def test_an_autoscaled_inline_pool_has_bounds() -> None:
    pool = {**_SYSTEM, "enableAutoScaling": True, "minCount": 1, "maxCount": 5}
    found = _of("containerservice:ManagedCluster", sku={"tier": "Free"}, agentPoolProfiles=[pool])
    assert found.lines[1].quantity == Bounds(Decimal(1), Decimal(5), Decimal(5))


@pytest.mark.parametrize(
    ("size", "gib", "disk"),
    [
        (H100, 1024, None),
        (H100, 1025, "Managed Disk: P40 2 TiB"),
        ("Standard_D32s_v5", 30, "Managed Disk: P4 32 GiB"),
        ("Standard_D32s_v5", 128, "Managed Disk: P10 128 GiB"),
        ("Standard_D32s_v5", 129, "Managed Disk: P15 256 GiB"),
        ("Standard_NCC40ads_H100_v5", 30, "Managed Disk: P4 32 GiB"),
    ],
)
def test_os_disks_are_priced_where_the_temporary_disk_does_not_hold_them(size: str, gib: int, disk: str | None) -> None:
    found = _of("containerservice:AgentPool", vmSize=size, count=2, osDiskSizeGB=gib)
    meters = {part.meter for part in found.parts if part.category == "storage"}
    assert meters == ({disk} if disk else set())


def test_managed_os_disks_cost_by_the_node() -> None:
    found = _of("containerservice:AgentPool", vmSize="Standard_D32s_v5", count=3, osDiskSizeGB=128)
    assert _ceilings(found)["Managed Disk: P10 128 GiB"] == "59.13"


def test_os_disks_of_unknown_sizes_are_unpriced() -> None:
    found = _of("containerservice:AgentPool", vmSize=H100, count=1)
    assert f"OS disks of {H100}, of unknown size" in _gaps(found)
    odd = _of("containerservice:AgentPool", vmSize="Standard_Nope", count=1, osDiskSizeGB=30)
    assert set(_gaps(odd)) == {"Standard_Nope regular", "OS disks of Standard_Nope, which the catalogue does not have"}
    assert os_disk_tier(Decimal(40000)) is None


def test_a_nat_gateway() -> None:
    assert _ceilings(_of("network:NatGateway", {"natGbPerMonth": 100})) == {
        "NAT Gateway: Gateway": "32.85",
        "NAT Gateway: Data processed": "4.50",
    }
    assert _gaps(_of("network:NatGateway")) == {
        "NAT Gateway: Data processed": "nothing tells how much Declare usage.natGbPerMonth"
    }


def test_what_flows_is_nothing_at_the_floor() -> None:
    found = _of("network:NatGateway", {"natGbPerMonth": 100})
    assert found.lines[1].amount.monthly == Bounds(Decimal("0.00"), Decimal("4.50"), Decimal("4.50"))


def test_a_volume_declared_as_none_is_no_gap() -> None:
    found = _of("network:NatGateway", {"natGbPerMonth": 0})
    assert (_ceilings(found), _gaps(found)) == ({"NAT Gateway: Gateway": "32.85"}, {})


@pytest.mark.parametrize(
    ("sku", "usd"), [({"name": "Standard"}, "3.65"), ({"name": "Standard", "tier": "Global"}, "7.30")]
)
def test_public_addresses(sku: dict[str, str], usd: str) -> None:
    assert list(_ceilings(_of("network:PublicIPAddress", sku=sku)).values()) == [usd]


@pytest.mark.parametrize("sku", [None, {"name": "Basic"}, {"name": object()}, {"name": "StandardV2"}])
def test_other_public_addresses_are_unpriced(sku: object) -> None:
    found = _of("network:PublicIPAddress", sku=sku)
    assert (_ceilings(found), len(found.unpriced)) == ({}, 1)


def test_a_private_endpoint_and_a_zone() -> None:
    assert _ceilings(_of("network:PrivateEndpoint", {"privateEndpointGbPerMonth": 1000})) == {
        "Private Endpoint: Endpoint": "7.30",
        "Private Endpoint: Data processed, each direction": "10.00",
    }
    assert _ceilings(_of("privatedns:PrivateZone", location="Global")) == {"Private DNS: Zone": "0.50"}


def test_lustre() -> None:
    found = _of("storagecache:AmlFilesystem", sku={"name": "AMLFS-Durable-Premium-40"}, storageCapacityTiB=48)
    assert found.unpriced[0].quantity == Bounds.fixed(48)
    assert list(_gaps(found)) == ["Managed Lustre: AMLFS-Durable-Premium-40"]
    nothing = _of("storagecache:AmlFilesystem", sku={"name": "AMLFS-Durable-Premium-40"})
    assert nothing.unpriced[0].reason == "its capacity is not known before it exists"


def _blobs(usage: dict[str, float] | None = None, **properties: object) -> Estimate:
    account: dict[str, Any] = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "accessTier": "Hot", **properties}
    return _of("storage:StorageAccount", usage, **account)


def test_blobs_by_what_they_hold() -> None:
    assert _ceilings(_blobs({"blobTiB": 2})) == {"Blob Storage: Hot LRS capacity": "42.60"}
    assert _blobs({"blobTiB": 2}).lines[0].amount.monthly == Bounds.fixed(Decimal("42.60"))
    premium = _blobs({"blobTiB": 1}, kind="BlockBlobStorage", sku={"name": "Premium_ZRS"}, accessTier=None)
    assert _ceilings(premium) == {"Blob Storage: Premium block blob ZRS capacity": "265.22"}


def test_blobs_hold_the_workload_unless_declared() -> None:
    workload = {"parametersB": 7, "tokensB": 50, "datasetTiB": 2}
    training = [
        {
            "name": "lab",
            "region": "eastus",
            "pools": [{"name": "h100", "sku": H100, "nodes": 1}],
            "workload": workload,
        }
    ]
    account = resource(
        "storage:StorageAccount", "b", fabric(), kind="StorageV2", sku={"name": "Standard_ZRS"}, accessTier="Hot"
    )
    found = priced_one(account, parse_environment(plain(training=training)))
    # 2 TiB and two checkpoints of 7e9 x 14 bytes: 2,230.54 GB at 0.026.
    assert _ceilings(found) == {"Blob Storage: Hot ZRS capacity": "57.99"}
    assert found.lines[0].note == "the dataset and two checkpoints"


def test_blobs_without_a_workload_or_of_another_kind_are_unpriced() -> None:
    assert _gaps(_blobs()) == {"Blob Storage: Hot LRS capacity": "nothing tells how much Declare usage.blobTiB"}
    found = _blobs({"blobTiB": 1}, sku={"name": "Standard_RAGZRS"})
    assert list(_gaps(found)) == ["blobs of the kind StorageV2 Standard_RAGZRS Hot"]


def test_the_registry_includes_some_images() -> None:
    premium = {"sku": {"name": "Premium"}}
    assert _ceilings(_of("containerregistry:Registry", {"registryGb": 500}, **premium)) == {
        "Container Registry: Premium registry": "50.70"
    }
    assert _ceilings(_of("containerregistry:Registry", {"registryGb": 600}, **premium)) == {
        "Container Registry: Premium registry": "50.70",
        "Container Registry: Storage above included quota": "10.00",
    }
    assert _ceilings(_of("containerregistry:Replication", {"registryGb": 600})) == {
        "Container Registry: Geo-replication replica (Premium)": "50.70",
        "Container Registry: Storage above included quota": "10.00",
    }


def test_other_registries_have_no_public_price() -> None:
    found = _of("containerregistry:Registry", {"registryGb": 1}, sku={"name": "Basic"})
    assert list(_gaps(found)) == ["Container Registry: Basic registry"]


def test_front_door() -> None:
    usage = {
        "frontDoorRequestsPerMonth": 1_000_000,
        "frontDoorEgressGbPerMonth": 100,
        "frontDoorOriginGbPerMonth": 0,
    }
    found = _of("cdn:Profile", usage, location="Global", sku={"name": "Standard_AzureFrontDoor"})
    assert _ceilings(found) == {
        "Front Door: Standard base fee": "35.00",
        "Front Door: Standard requests zone 1": "0.90",
        "Front Door: Edge to client, zone 1": "8.30",
    }
    assert _gaps(found) == {}
    odd = _of("cdn:Profile", usage, sku={"name": "Standard_Microsoft"})
    assert list(_gaps(odd)) == ["a Front Door profile of unknown tier"]


def test_traffic_manager() -> None:
    usage = {"trafficManagerQueriesPerMonth": 2_000_000}
    assert _ceilings(_of("trafficmanager:Profile", usage, trafficRoutingMethod="Priority")) == {
        "Traffic Manager: DNS queries": "1.08"
    }
    assert _of("trafficmanager:Profile", usage, trafficRoutingMethod="Performance").lines == ()
    assert _ceilings(_of("trafficmanager:Endpoint", usage)) == {
        "Traffic Manager: Azure endpoint health checks": "0.36",
        "Traffic Manager: Azure endpoint fast interval health checks": "1.00",
    }


def test_logs() -> None:
    found = _of("operationalinsights:Workspace", {"logsGbPerDay": 12}, sku={"name": "PerGB2018"}, retentionInDays=30)
    # 12 GB on each of 365 / 12 days at 2.99.
    assert _ceilings(found) == {"Log Analytics: Analytics ingestion pay-as-you-go": "1091.35"}
    longer = _of("operationalinsights:Workspace", {"logsGbPerDay": 12}, sku={"name": "PerGB2018"}, retentionInDays=61)
    # 30 further days of 12 GB at 0.13.
    assert _ceilings(longer)["Log Analytics: Retention above included"] == "46.80"
    committed = _of("operationalinsights:Workspace", {"logsGbPerDay": 12}, sku={"name": "CapacityReservation"})
    assert list(_gaps(committed)) == [
        "Log Analytics by the plan CapacityReservation",
        "Log Analytics: Retention above included",
    ]


def test_diagnostic_settings_cost_nothing_towards_a_workspace_alone() -> None:
    free = _of("monitor:DiagnosticSetting", workspaceId="w")
    assert [one.reason for one in free.unbilled][-1] == "nothing of it is charged as it is set up"
    assert (free.lines, free.unpriced) == ((), ())
    assert list(_gaps(_of("monitor:DiagnosticSetting", storageAccountId="s"))) == ["logs exported by storageAccountId"]


def test_metrics_are_paid_by_the_sample_and_what_reads_them_has_no_price() -> None:
    found = _of("monitor:AzureMonitorWorkspace", {"prometheusSamplesMillionPerMonth": 500})
    # 0.16 USD for ten million samples.
    assert _ceilings(found) == {"Azure Monitor: Managed Prometheus ingestion": "8.00"}
    assert list(_gaps(found)) == ["Azure Monitor: Managed Prometheus queries of a workspace"]
    undeclared = _gaps(_of("monitor:AzureMonitorWorkspace"))["Azure Monitor: Managed Prometheus ingestion"]
    assert undeclared == "nothing tells how much Declare usage.prometheusSamplesMillionPerMonth"


def _surge(found: Estimate) -> list[tuple[str, int, object]]:
    return [(one.kind, one.nodes, one.hourly) for one in found.overlaps]


def test_surge_and_rotation() -> None:
    stated = _of(
        "containerservice:AgentPool",
        vmSize=H100,
        count=4,
        osDiskSizeGB=128,
        upgradeSettings={"maxSurge": "1"},
    )
    assert _surge(stated) == [("surge", 1, Decimal("98.32")), ("rotation", 4, Decimal("393.28"))]
    default = _of("containerservice:AgentPool", vmSize=H100, count=11, osDiskSizeGB=128)
    assert _surge(default)[0] == ("surge", 2, Decimal("196.64"))
    spot = _of("containerservice:AgentPool", vmSize=H100, count=4, osDiskSizeGB=128, scaleSetPriority="Spot")
    assert [(kind, nodes) for kind, nodes, _ in _surge(spot)] == [("rotation", 4)]
    system = _of("containerservice:ManagedCluster", sku={"tier": "Free"}, agentPoolProfiles=[_SYSTEM])
    assert _surge(system) == [("surge", 1, Decimal("0.226"))]


def test_overlaps_are_in_no_sum() -> None:
    environment = with_pools({"name": "h100", "sku": H100, "nodes": 1})
    pool = resource("containerservice:AgentPool", "p", fabric(), vmSize=H100, count=1, osDiskSizeGB=128)
    assert priced_one(pool, environment).total.monthly == Bounds.fixed(Decimal("71773.60"))

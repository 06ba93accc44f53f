"""GpuPool, CpuPool and what they share."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.gpu_pool import gpu_upgrade
from gpufleet.spec.pool import Pool
from tests.components.graphs import Graph, build, stack_graph
from tests.spec.environments import DATA, POOL, SERVE, changed

TAGS = {
    "owner": "ml-platform", "cost-center": "cc-4711", "environment": "dev", "class": "ephemeral",
    "managed-by": "gpufleet",
}  # fmt: skip


def _pool(graph: Graph, start: str) -> dict[str, Any]:
    (found,) = [r.inputs for r in graph.of("containerservice:AgentPool") if r.name.startswith(start)]
    return found


COMMON = {
    "mode": "User",
    "type": "VirtualMachineScaleSets",
    "scaleDownMode": "Delete",
    "orchestratorVersion": "1.34",
    "osType": "Linux",
    "osSKU": "Ubuntu",
    "osDiskSizeGB": 256,
    "maxPods": 110,
    "enableNodePublicIP": False,
    "tags": TAGS,
}


def test_infiniband_pool() -> None:
    assert _pool(stack_graph("dev"), "lab-h100") == {
        **COMMON,
        "agentPoolName": "h10001zo",
        "resourceGroupName": "rg-dev-lab",
        "resourceName": "aks-dev-lab",
        "vmSize": "Standard_ND96isr_H100_v5",
        "count": 2,
        "enableAutoScaling": False,
        "vnetSubnetID": "lab-network-snet-gpu-id",
        "scaleSetPriority": "Regular",
        "gpuProfile": {"driver": "None"},
        "nodeLabels": {
            "gpufleet.io/pool": "h100",
            "gpufleet.io/gpu": "NVIDIA-H100-SXM5-80GB",
            "gpufleet.io/infiniband-domain": "lab-h10001zo",
        },
        "nodeTaints": ["nvidia.com/gpu=present:NoSchedule"],
        "upgradeSettings": {"maxSurge": "0", "maxUnavailable": "1"},
    }


def test_spot_pool() -> None:
    assert _pool(stack_graph("dev"), "eastus-t4spot") == {
        **COMMON,
        "agentPoolName": "t4spotoj",
        "resourceGroupName": "rg-dev-eastus",
        "resourceName": "aks-dev-eastus",
        "vmSize": "Standard_NC4as_T4_v3",
        "count": 0,
        "enableAutoScaling": True,
        "minCount": 0,
        "maxCount": 2,
        "vnetSubnetID": "eastus-network-snet-gpu-id",
        "scaleSetPriority": "Spot",
        "scaleSetEvictionPolicy": "Delete",
        "spotMaxPrice": -1,
        "gpuProfile": {"driver": "None"},
        "nodeLabels": {
            "gpufleet.io/pool": "t4spot",
            "gpufleet.io/gpu": "NVIDIA-T4-16GB",
            "kubernetes.azure.com/scalesetpriority": "spot",
        },
        "nodeTaints": [
            "nvidia.com/gpu=present:NoSchedule",
            "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
        ],
    }


def test_cpu_pool() -> None:
    assert _pool(stack_graph("dev"), "lab-data") == {
        **COMMON,
        "agentPoolName": "datagl",
        "resourceGroupName": "rg-dev-lab",
        "resourceName": "aks-dev-lab",
        "vmSize": "Standard_D32s_v5",
        "count": 0,
        "enableAutoScaling": True,
        "minCount": 0,
        "maxCount": 4,
        "vnetSubnetID": "lab-network-snet-system-id",
        "scaleSetPriority": "Regular",
        "nodeLabels": {"gpufleet.io/pool": "data"},
    }


def test_count_is_the_autoscalers_only_where_there_is_one() -> None:
    ignored = {r.name: r.ignore_changes for r in stack_graph("dev").of("containerservice:AgentPool")}
    assert ignored == {
        "lab-h10001zo": (),
        "lab-datagl": ("count",),
        "eastus-t48w": ("count",),
        "eastus-t4spotoj": ("count",),
    }


def test_pools_go_with_their_cluster_and_have_time() -> None:
    pool = stack_graph("dev").one("containerservice:AgentPool", "lab-h10001zo")
    assert stack_graph("dev").named(pool.deleted_with) == "lab-cluster-aks"
    assert pool.timeouts == ("3h", "72h", "3h")


def test_an_immutable_change_makes_another_resource() -> None:
    before = {r.name for r in build(changed({})).of("containerservice:AgentPool")}
    after = {r.name for r in build(changed({(*POOL, "osDiskGiB"): 512})).of("containerservice:AgentPool")}
    assert len(after - before) == len(before - after) == 1


def test_labels_and_taints_of_the_specification() -> None:
    graph = build(changed({
        (*DATA, "labels"): {"team": "data"},
        (*DATA, "taints"): ["team=data:NoSchedule"],
        (*POOL, "taints"): ["team=train:NoExecute"],
    }))  # fmt: skip
    assert _pool(graph, "lab-data")["nodeLabels"] == {"team": "data", "gpufleet.io/pool": "data"}
    assert _pool(graph, "lab-data")["nodeTaints"] == ["team=data:NoSchedule"]
    assert _pool(graph, "lab-h100")["nodeTaints"] == ["team=train:NoExecute", "nvidia.com/gpu=present:NoSchedule"]


def test_stated_zones_spot_price_and_reservation() -> None:
    reservation = (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/crg/providers/Microsoft.Compute"
        "/capacityReservationGroups/group"
    )
    graph = build(changed({
        (*DATA, "zones"): ["1"],
        (*DATA, "capacityReservationGroupId"): reservation,
        ("training", 0, "storage", "lustre", "zone"): "1",
    }))  # fmt: skip
    assert _pool(graph, "lab-data")["availabilityZones"] == ["1"]
    assert _pool(graph, "lab-data")["capacityReservationGroupID"] == reservation
    spot = build(changed({(*SERVE, "priority"): "spot", (*SERVE, "spotMaxPrice"): 3.5}))
    assert _pool(spot, "swedencentral-nc")["spotMaxPrice"] == 3.5


def test_a_cpu_pool_upgrades_as_stated_or_as_aks_does() -> None:
    graph = build(changed({(*DATA, "upgrade"): {"maxSurge": "33%"}}))
    assert _pool(graph, "lab-data")["upgradeSettings"] == {
        "maxSurge": "33%", "drainTimeoutInMinutes": 30, "nodeSoakDurationInMinutes": 0
    }  # fmt: skip
    assert "upgradeSettings" not in _pool(build(changed({})), "lab-data")


@pytest.mark.parametrize(
    ("upgrade", "surge", "unavailable"),
    [
        (None, "0", "1"),
        ({}, "0", "1"),
        ({"maxSurge": "2"}, "2", None),
        ({"maxSurge": "0"}, "0", "1"),
        ({"maxUnavailable": "10%"}, "0", "10%"),
        ({"maxSurge": "1", "maxUnavailable": "2"}, "1", "2"),
    ],
)
def test_gpu_upgrade(upgrade: dict[str, str] | None, surge: str, unavailable: str | None) -> None:
    spec = {"name": "a", "sku": "Standard_ND96isr_H100_v5", "nodes": 2, "upgrade": upgrade}
    settings = gpu_upgrade(Pool.model_validate(spec))
    assert settings is not None
    assert (settings.max_surge, settings.max_unavailable) == (surge, unavailable)


def test_spot_has_no_upgrade_settings() -> None:
    spec = {"name": "a", "sku": "Standard_NC4as_T4_v3", "nodes": 2, "priority": "spot"}
    assert gpu_upgrade(Pool.model_validate(spec)) is None


def test_a_gpu_of_another_vendor_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="MI300X"):
        build(changed({(*POOL, "sku"): "Standard_ND96isr_MI300X_v5", (*POOL, "nodes"): 1}))

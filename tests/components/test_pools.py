"""GpuPool, CpuPool and what they share."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pulumi_azure_native import containerservice

from components.gpu_pool import gpu_upgrade
from components.node_settings import argument
from gpufleet.catalog.node_settings import Section, settings
from gpufleet.spec.base import Path
from gpufleet.spec.pool import Pool
from tests.components.graphs import Graph, build, stack_graph
from tests.components.pool_bodies import bodies
from tests.spec.environments import DATA, POOL, SERVE, changed

TAGS = {
    "owner": "ml-platform", "cost-center": "cc-4711", "environment": "dev", "class": "ephemeral",
    "managed-by": "gpufleet",
}  # fmt: skip

H100 = "Standard_ND96isr_H100_v5"


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
        "agentPoolName": "h10001zb",
        "resourceGroupName": "rg-dev-lab",
        "resourceName": "aks-dev-lab",
        "vmSize": "Standard_ND96isr_H100_v5",
        "count": 2,
        "enableAutoScaling": False,
        "vnetSubnetID": "lab-network-snet-gpu-id",
        "scaleSetPriority": "Regular",
        "gpuProfile": {"driver": "None"},
        "kubeletConfig": {
            "cpuManagerPolicy": "static",
            "topologyManagerPolicy": "best-effort",
            "imageGcHighThreshold": 75,
            "imageGcLowThreshold": 60,
            "containerLogMaxSizeMB": 200,
            "containerLogMaxFiles": 10,
        },
        "linuxOSConfig": {
            "transparentHugePageEnabled": "madvise",
            "transparentHugePageDefrag": "defer+madvise",
            "sysctls": {
                "fsAioMaxNr": 1048576,
                "netCoreRmemMax": 33554432,
                "netCoreWmemMax": 33554432,
                "vmMaxMapCount": 262144,
            },
        },
        "nodeLabels": {
            "gpufleet.io/fabric": "lab",
            "gpufleet.io/pool": "h100",
            "gpufleet.io/gpu": "NVIDIA-H100-SXM5-80GB",
            "gpufleet.io/infiniband-domain": "lab-h10001zb",
        },
        "nodeTaints": ["nvidia.com/gpu=present:NoSchedule"],
        "upgradeSettings": {"maxSurge": "0", "maxUnavailable": "1", "undrainableNodeBehavior": "Schedule"},
    }


def test_spot_pool() -> None:
    assert _pool(stack_graph("dev"), "eastus-t4spot") == {
        **COMMON,
        "tags": {**TAGS, "model": "chat-1b"},
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
        "nodeLabels": {"gpufleet.io/pool": "data", "gpufleet.io/fabric": "lab"},
    }


def test_count_is_the_autoscalers_only_where_there_is_one() -> None:
    ignored = {r.name: r.ignore_changes for r in stack_graph("dev").of("containerservice:AgentPool")}
    assert ignored == {
        "lab-h10001zb": (),
        "lab-datagl": ("count",),
        "eastus-t48w": ("count",),
        "eastus-t4spotoj": ("count",),
    }


def test_pools_go_with_their_cluster_and_have_time() -> None:
    pool = stack_graph("dev").one("containerservice:AgentPool", "lab-h10001zb")
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
    assert _pool(graph, "lab-data")["nodeLabels"] == {
        "team": "data", "gpufleet.io/pool": "data", "gpufleet.io/fabric": "lab"
    }  # fmt: skip
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


@pytest.mark.parametrize(
    ("upgrade", "behavior"),
    [(None, "Schedule"), ({"maxSurge": "1"}, "Schedule"), ({"maxSurge": "1", "undrainableNode": "Cordon"}, "Cordon")],
)
def test_a_gpu_node_that_cannot_be_emptied(upgrade: dict[str, str] | None, behavior: str) -> None:
    spec = {"name": "a", "sku": "Standard_ND96isr_H100_v5", "nodes": 2, "upgrade": upgrade}
    settings = gpu_upgrade(Pool.model_validate(spec))
    assert settings is not None
    assert settings.undrainable_node_behavior == behavior


def test_inference_pools_belong_to_no_fabric() -> None:
    assert "gpufleet.io/fabric" not in _pool(stack_graph("dev"), "eastus-t48w")["nodeLabels"]


def test_four_domains_and_a_fifth_that_touches_none_of_them() -> None:
    before, after = (
        {one["name"]: one for one in bodies(Pool.model_validate({"name": "h100", "sku": H100, "nodes": nodes}))}
        for nodes in (400, 500)
    )
    assert list(before) == ["h10001zb", "h10002zb", "h10003zb", "h10004zb"]
    assert {name: body["properties"]["count"] for name, body in before.items()} == dict.fromkeys(before, 100)
    assert [body["properties"]["nodeLabels"]["gpufleet.io/infiniband-domain"] for body in before.values()] == [
        "lab-h10001zb", "lab-h10002zb", "lab-h10003zb", "lab-h10004zb"
    ]  # fmt: skip
    fifth = after.pop("h10005zb")
    assert after == before
    assert fifth["properties"]["count"] == 100


# Room for 500 nodes; a stated file system, for a derived one grows with the pools.
_ROOM: dict[Path, object] = {
    ("budget", "monthlyUsd"): 90_000_000,
    ("training", 0, "storage", "lustre", "capacityTiB"): 128,
}


def test_the_fifth_domain_is_one_more_registration_and_nothing_else() -> None:
    four, five = (_registered({(*POOL, "nodes"): nodes, **_ROOM}) for nodes in (400, 500))
    new = set(five) - set(four)
    assert new == {"azure-native:containerservice:AgentPool lab-h10005zb"}
    changed_too = {name for name in four if four[name] != five[name]}
    assert changed_too == {
        "gpufleet:environment:Environment test",  # the names of the pools, in its inputs
        "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue lab-queue-cluster-queue-default",  # the quota
    }


def test_three_hundred_nodes_with_a_declared_raise_are_one_domain() -> None:
    raised = {"maxNodes": 300, "supportRequest": "2611010040000001"}
    (body,) = bodies(Pool.model_validate({"name": "h100", "sku": H100, "nodes": 300, "infiniband": raised}))
    assert (body["name"], body["properties"]["count"]) == ("h10001zb", 300)


def test_settings_of_the_specification_stand_over_the_defaults() -> None:
    spec = {
        "name": "h100", "sku": H100, "nodes": 1, "kubelet": {"cpuManagerPolicy": "none", "podMaxPids": 65536},
        "sysctls": {"vmMaxMapCount": 65530}, "linuxOs": {"transparentHugePageEnabled": "always"},
    }  # fmt: skip
    (body,) = bodies(Pool.model_validate(spec))
    assert body["properties"]["kubeletConfig"] == {
        "cpuManagerPolicy": "none", "podMaxPids": 65536, "topologyManagerPolicy": "best-effort",
        "imageGcHighThreshold": 75, "imageGcLowThreshold": 60, "containerLogMaxSizeMB": 200, "containerLogMaxFiles": 10,
    }  # fmt: skip
    assert body["properties"]["linuxOSConfig"] == {
        "transparentHugePageEnabled": "always", "transparentHugePageDefrag": "defer+madvise",
        "sysctls": {
            "fsAioMaxNr": 1048576, "netCoreRmemMax": 33554432, "netCoreWmemMax": 33554432, "vmMaxMapCount": 65530
        },
    }  # fmt: skip


def test_every_setting_is_an_argument_of_the_sdk() -> None:
    for section, arguments in (
        (Section.KUBELET, containerservice.KubeletConfigArgs),
        (Section.SYSCTLS, containerservice.SysctlConfigArgs),
        (Section.LINUX_OS, containerservice.LinuxOSConfigArgs),
    ):
        assert {argument(name) for name in settings(section)} <= set(inspect.signature(arguments).parameters)


def _registered(changes: dict[Path, object]) -> dict[str, dict[str, Any]]:
    return {f"{one.type} {one.name}": one.inputs for one in build(changed(changes)).resources}

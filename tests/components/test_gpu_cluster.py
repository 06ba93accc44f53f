from __future__ import annotations

from typing import Any

import pytest

from components.gpu_cluster import dns_service_ip
from tests.components.graphs import AUTHORITY, SUBSCRIPTION, Graph, build, stack_graph
from tests.spec.environments import CLUSTER, DATA, changed

LAB = "lab-cluster-aks"


def _cluster(graph: Graph, name: str = LAB) -> dict[str, Any]:
    return graph.one("containerservice:ManagedCluster", name).inputs


def test_cluster() -> None:
    cluster = dict(_cluster(stack_graph("dev")))
    tags = cluster.pop("tags")
    (system,) = cluster.pop("agentPoolProfiles")
    assert cluster == {
        "resourceName": "aks-dev-lab",
        "resourceGroupName": "rg-dev-lab",
        "location": "eastus",
        "dnsPrefix": "aks-dev-lab",
        "nodeResourceGroup": "rg-dev-lab-nodes",
        "kubernetesVersion": "1.34",
        "sku": {"name": "Base", "tier": "Standard"},
        "supportPlan": "KubernetesOfficial",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": ["lab-cluster-id-controlplane-id"]},
        "identityProfile": {
            "kubeletidentity": {
                "resourceId": "lab-cluster-id-kubelet-id",
                "clientId": "lab-cluster-id-kubelet-client",
                "objectId": "lab-cluster-id-kubelet-principal",
            }
        },
        "enableRBAC": True,
        "disableLocalAccounts": True,
        "aadProfile": {"managed": True, "enableAzureRBAC": True, "adminGroupObjectIDs": []},
        "oidcIssuerProfile": {"enabled": True},
        "securityProfile": {"workloadIdentity": {"enabled": True}},
        "apiServerAccessProfile": {"enablePrivateCluster": False},
        "networkProfile": {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "networkDataplane": "azure",
            "podCidr": "10.128.0.0/11",
            "serviceCidr": "172.20.0.0/16",
            "dnsServiceIP": "172.20.0.10",
            "loadBalancerSku": "standard",
            "outboundType": "userAssignedNATGateway",
        },
        "autoScalerProfile": {
            "expander": "least-waste",
            "maxNodeProvisionTime": "15m",
            "scaleDownUnneededTime": "10m",
            "scaleDownDelayAfterAdd": "15m",
            "scaleDownUtilizationThreshold": "0.05",
            "maxGracefulTerminationSec": "600",
            "skipNodesWithLocalStorage": "false",
            "ignoreDaemonsetsUtilization": True,
        },
        "autoUpgradeProfile": {"upgradeChannel": "none", "nodeOSUpgradeChannel": "None"},
    }
    assert system == {
        "name": "system",
        "mode": "System",
        "type": "VirtualMachineScaleSets",
        "vmSize": "Standard_D4ds_v5",
        "count": 3,
        "orchestratorVersion": "1.34",
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "osDiskSizeGB": 128,
        "maxPods": 110,
        "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"],
        "enableNodePublicIP": False,
        "vnetSubnetID": "lab-network-snet-system-id",
        "tags": tags,
    }


def test_serving_clusters_upgrade_by_themselves_on_days_of_their_own() -> None:
    graph = stack_graph("prod")
    assert _cluster(graph, "eastus-cluster-aks")["autoUpgradeProfile"] == {
        "upgradeChannel": "patch",
        "nodeOSUpgradeChannel": "NodeImage",
    }
    windows = {
        r.name: r.inputs["maintenanceWindow"]["schedule"]["weekly"]["dayOfWeek"]
        for r in graph.of("containerservice:MaintenanceConfiguration")
    }
    for schedule in ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"):
        assert windows[f"frontier-cluster-{schedule}"] == "Sunday"
        assert windows[f"eastus-cluster-{schedule}"] == "Monday"
        assert windows[f"swedencentral-cluster-{schedule}"] == "Tuesday"
        assert windows[f"japaneast-cluster-{schedule}"] == "Wednesday"


def test_maintenance_window() -> None:
    window = stack_graph("dev").one(
        "containerservice:MaintenanceConfiguration", "lab-cluster-aksManagedNodeOSUpgradeSchedule"
    )
    assert window.inputs["configName"] == "aksManagedNodeOSUpgradeSchedule"
    assert window.inputs["maintenanceWindow"] == {
        "durationHours": 4,
        "startTime": "02:00",
        "utcOffset": "+00:00",
        "schedule": {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}},
    }


def test_a_stated_maintenance_window() -> None:
    stated = {"day": "Wednesday", "start": "22:30", "durationHours": 8, "utcOffset": "+01:00"}
    graph = build(changed({(*CLUSTER, "maintenance"): stated}))
    windows = [one.inputs for one in graph.of("containerservice:MaintenanceConfiguration") if "lab" in one.name]
    assert [window["maintenanceWindow"] for window in windows] == [
        {
            "durationHours": 8,
            "startTime": "22:30",
            "utcOffset": "+01:00",
            "schedule": {"weekly": {"dayOfWeek": "Wednesday", "intervalWeeks": 1}},
        }
    ] * 2


def test_the_autoscaler_as_stated() -> None:
    stated = {
        "expander": "most-pods", "scanInterval": "20s", "scaleDownUnneededTime": "30m", "maxNodeProvisionTime": "25m",
        "scaleDownUtilizationThreshold": 0.5, "balanceSimilarNodeGroups": True, "maxEmptyBulkDelete": 50,
        "skipNodesWithLocalStorage": True, "newPodScaleUpDelay": "5s", "okTotalUnreadyCount": 0,
    }  # fmt: skip
    profile = _cluster(build(changed({(*CLUSTER, "autoscaler"): stated})), LAB)["autoScalerProfile"]
    assert profile == {
        "expander": "most-pods", "scanInterval": "20s", "scaleDownUnneededTime": "30m", "maxNodeProvisionTime": "25m",
        "scaleDownUtilizationThreshold": "0.5", "balanceSimilarNodeGroups": "true", "maxEmptyBulkDelete": "50",
        "skipNodesWithLocalStorage": "true", "newPodScaleUpDelay": "5s", "okTotalUnreadyCount": "0",
        "scaleDownDelayAfterAdd": "15m", "maxGracefulTerminationSec": "600", "ignoreDaemonsetsUtilization": True,
    }  # fmt: skip


def test_idle_nodes_of_a_production_fabric_stay_for_an_hour_and_inference_has_aks_defaults() -> None:
    assert _cluster(stack_graph("prod"), "frontier-cluster-aks")["autoScalerProfile"]["scaleDownUnneededTime"] == "60m"
    assert "scaleDownUnneededTime" not in _cluster(stack_graph("dev"), "eastus-cluster-aks")["autoScalerProfile"]


def test_a_stated_priority_makes_the_expander_follow_it() -> None:
    graph = build(changed({(*DATA, "autoscalerPriority"): 50}))
    assert _cluster(graph, LAB)["autoScalerProfile"]["expander"] == "priority"
    (priorities,) = [one.inputs["data"]["priorities"] for one in graph.of("core/v1:ConfigMap") if "prior" in one.name]
    assert priorities == "10:\n- ^aks-h10001zb-.*\n50:\n- ^aks-datagl-.*\n"


def test_the_priority_expander_only_where_spot_and_regular_meet() -> None:
    graph = stack_graph("dev")
    assert _cluster(graph, "eastus-cluster-aks")["autoScalerProfile"]["expander"] == "priority"
    assert _cluster(graph, LAB)["autoScalerProfile"]["expander"] == "least-waste"


ROLES = {
    "lab-cluster-role-network": (
        "lab-cluster-id-controlplane-principal",
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "lab-network-vnet-id",
    ),
    "lab-cluster-role-kubelet": (
        "lab-cluster-id-controlplane-principal",
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "lab-cluster-id-kubelet-id",
    ),
    "lab-cluster-role-acrpull": (
        "lab-cluster-id-kubelet-principal",
        "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "dev-registry-cr-id",
    ),
    "lab-storage-role-blobs": (
        "lab-cluster-id-kubelet-principal",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "lab-storage-blobs-id",
    ),
    # The gateway's address is in the region's own group, and AKS looks addresses up there.
    "eastus-cluster-role-network": (
        "eastus-cluster-id-controlplane-principal",
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "eastus-rg-id",
    ),
}


@pytest.mark.parametrize("name", ROLES)
def test_role_assignments(name: str) -> None:
    principal, role, scope = ROLES[name]
    assert stack_graph("dev").one("authorization:RoleAssignment", name).inputs == {
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": (f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "scope": scope,
    }


def test_the_cluster_waits_for_its_roles_and_its_way_out() -> None:
    graph = stack_graph("dev")
    cluster = graph.one("containerservice:ManagedCluster", LAB)
    assert {
        "lab-cluster-role-network",
        "lab-cluster-role-kubelet",
        "lab-network-snet-system",
        "lab-network-snet-gpu",
    } <= {graph.named(urn) for urn in cluster.dependencies}


def test_a_private_api_server() -> None:
    graph = build(changed({(*CLUSTER, "apiServer"): {"private": True}}))
    assert _cluster(graph)["apiServerAccessProfile"] == {
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
    }
    (cluster,) = graph.kubeconfig("lab-cluster-kubernetes")["clusters"]
    assert cluster["cluster"]["server"] == "https://aks-test-lab-1.private.azmk8s.io:443"


def test_authorized_ranges_include_the_nodes_own_way_out() -> None:
    graph = build(changed({(*CLUSTER, "apiServer"): {"authorizedIpRanges": ["198.51.100.0/24"]}}))
    assert _cluster(graph)["apiServerAccessProfile"] == {
        "enablePrivateCluster": False,
        "authorizedIPRanges": ["198.51.100.0/24", "20.0.0.1/32", "20.0.0.1/32"],
    }


def test_kubernetes_provider() -> None:
    graph = stack_graph("dev")
    provider = graph.one("providers:kubernetes", "lab-cluster-kubernetes").inputs
    assert provider["clusterIdentifier"] == "lab-cluster-aks-id"
    assert provider["enableServerSideApply"] == "true"
    assert set(provider) == {"clusterIdentifier", "enableServerSideApply", "kubeconfig"}
    (cluster,) = graph.kubeconfig("lab-cluster-kubernetes")["clusters"]
    assert cluster["cluster"] == {
        "server": "https://aks-dev-lab-1.hcp.eastus.azmk8s.io:443",
        "certificate-authority-data": AUTHORITY,
    }


def test_the_way_kubelogin_logs_in_is_a_setting() -> None:
    graph = build(changed({}), settings={"kubeLogin": "workloadidentity"})
    assert graph.kubeconfig("lab-cluster-kubernetes")["users"][0]["user"]["exec"]["args"][:3] == [
        "get-token",
        "--login",
        "workloadidentity",
    ]


def test_dns_service_ip() -> None:
    assert dns_service_ip("172.20.0.0/16") == "172.20.0.10"
    assert dns_service_ip("10.96.4.0/24") == "10.96.4.10"

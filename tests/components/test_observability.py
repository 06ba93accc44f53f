from __future__ import annotations

from tests.components.graphs import stack_graph


def test_every_cluster_logs_to_a_workspace_in_its_region() -> None:
    graph = stack_graph("prod")
    locations = {r.name.split("-")[0]: r.inputs["location"] for r in graph.of("operationalinsights:Workspace")}
    assert locations == {
        "frontier": "eastus",
        "eastus": "eastus",
        "swedencentral": "swedencentral",
        "japaneast": "japaneast",
    }
    for setting in graph.of("monitor:DiagnosticSetting"):
        scope = setting.name.split("-")[0]
        assert setting.inputs["resourceUri"] == f"{scope}-cluster-aks-id"
        assert setting.inputs["workspaceId"] == f"{scope}-observability-log-id"


def test_workspace_and_categories() -> None:
    graph = stack_graph("dev")
    workspace = graph.one("operationalinsights:Workspace", "lab-observability-log").inputs
    assert (workspace["sku"], workspace["retentionInDays"]) == ({"name": "PerGB2018"}, 30)
    assert workspace["features"] == {"disableLocalAuth": True, "enableLogAccessUsingOnlyResourcePermissions": True}
    setting = graph.one("monitor:DiagnosticSetting", "lab-observability-cluster-logs").inputs
    assert setting["logs"] == [
        {"category": category, "enabled": True}
        for category in ("cluster-autoscaler", "guard", "kube-audit-admin", "kube-controller-manager")
    ]
    assert setting["logAnalyticsDestinationType"] == "Dedicated"

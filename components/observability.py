"""Logs of one scope: a Log Analytics workspace, and the cluster's control plane writing to it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice, monitor, operationalinsights

from components.context import ScopeContext
from components.options import child

RETENTION_DAYS = 30
"""What the price of ingestion includes (Log Analytics pricing); longer is a decision of its own."""

CLUSTER_LOGS = ("cluster-autoscaler", "guard", "kube-audit-admin", "kube-controller-manager")
"""Why a pool did not scale, who logged in, who changed what. Not `kube-audit`: it logs every read, the largest part of
an AKS log bill (AKS monitor-aks); not `kube-scheduler`, verbose by the pod."""


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """Arguments of Observability."""

    scope: ScopeContext
    cluster: containerservice.ManagedCluster
    daily_cap_gb: float | None


class Observability(pulumi.ComponentResource):
    """A workspace in the scope's own region, so that a lost region takes no other region's logs along.

    Not here: metrics and dashboards, GPU health, alerts. AKS's GPU health checks are off where the GPU Operator owns
    the driver (AKS gpu-health-monitoring), so those come from its exporter.
    """

    workspace_id: pulumi.Output[str]

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:observability:Observability", name, {}, opts)
        scope = args.scope
        environment_class = scope.environment.environment_class
        workspace = operationalinsights.Workspace(
            f"{name}-log",
            workspace_name=scope.name_of("log"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            sku=operationalinsights.WorkspaceSkuArgs(name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018),
            retention_in_days=RETENTION_DAYS,
            workspace_capping=_capping(args.daily_cap_gb),
            features=operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True, enable_log_access_using_only_resource_permissions=True
            ),
            tags=scope.environment.tags,
            opts=child(self, environment_class),
        )
        monitor.DiagnosticSetting(
            f"{name}-cluster-logs",
            name="control-plane",
            resource_uri=args.cluster.id,
            workspace_id=workspace.id,
            log_analytics_destination_type="Dedicated",
            logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in CLUSTER_LOGS],
            # Azure keeps a setting beyond the life of its resource, and a cluster made again under the name would meet
            # it: so not deleted_with.
            opts=child(self, environment_class),
        )
        self.workspace_id = workspace.id
        self.register_outputs({"workspaceId": self.workspace_id})


def _capping(daily_cap_gb: float | None) -> operationalinsights.WorkspaceCappingArgs | None:
    return None if daily_cap_gb is None else operationalinsights.WorkspaceCappingArgs(daily_quota_gb=daily_cap_gb)

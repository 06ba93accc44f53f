"""Azure's managed Prometheus for one region: the workspace, the way into it, and what is scraped."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor
from pulumi_kubernetes import apiextensions, meta

from components import labels
from components.context import ScopeContext
from components.gpu_cluster import GpuCluster
from components.in_cluster import ClusterAccess
from components.metric_scrapes import gpus_spec, servers_spec
from components.options import child
from components.serving_names import KAITO_NAMESPACE, MODELS_NAMESPACE, RDMA_NAMESPACE
from gpufleet.catalog.gpu_stack import GpuStack

_STREAM = "Microsoft-PrometheusMetrics"
_DESTINATION = "workspace"
_NAMESPACE = "kube-system"
"""Where the add-on is. Monitors stand beside it, so that they outlive no namespace of the servers and need none."""


@dataclass(frozen=True, kw_only=True)
class ManagedPrometheusArgs:
    """Arguments of ManagedPrometheus."""

    scope: ScopeContext
    cluster: GpuCluster
    access: ClusterAccess
    gpu_stack: GpuStack


class ManagedPrometheus(pulumi.ComponentResource):
    """An Azure Monitor workspace in the region, a data collection endpoint and rule, and their link to the cluster.

    What AKS's own onboarding makes (Azure/prometheus-collector AddonBicepTemplate), with the agent itself in the
    cluster's `azureMonitorProfile`. A workspace a region: the autoscaler asks it, so it must not go with another one.

    Not here: rules (PrometheusRules), dashboards, private links to the workspace.
    """

    workspace_id: pulumi.Output[str]
    query_endpoint: pulumi.Output[str]
    """Prometheus' HTTP API, for whoever has the role Monitoring Data Reader."""
    ready: list[pulumi.Resource]
    """What must be there before metrics come in."""

    def __init__(self, name: str, args: ManagedPrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:observability:ManagedPrometheus", name, {}, opts)
        scope = args.scope
        own = child(self, scope.environment.environment_class)
        workspace = monitor.AzureMonitorWorkspace(
            f"{name}-amw",
            azure_monitor_workspace_name=scope.name_of("amw"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            public_network_access=monitor.PublicNetworkAccess.ENABLED,
            tags=scope.environment.tags,
            opts=own,
        )
        endpoint = monitor.DataCollectionEndpoint(
            f"{name}-dce",
            # At most 44 characters (azure-cli acs/azuremonitormetrics), so without the region, which its group has.
            data_collection_endpoint_name=scope.environment.names.once("dce"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            kind=monitor.KnownDataCollectionEndpointResourceKind.LINUX,
            network_acls=monitor.DataCollectionEndpointNetworkAclsArgs(
                public_network_access=monitor.KnownPublicNetworkAccessOptions.ENABLED
            ),
            tags=scope.environment.tags,
            opts=own,
        )
        rule = monitor.DataCollectionRule(
            f"{name}-dcr",
            data_collection_rule_name=scope.name_of("dcr"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            kind=monitor.KnownDataCollectionRuleResourceKind.LINUX,
            data_collection_endpoint_id=endpoint.id,
            data_sources=monitor.DataCollectionRuleDataSourcesArgs(
                prometheus_forwarder=[monitor.PrometheusForwarderDataSourceArgs(name="prometheus", streams=[_STREAM])]
            ),
            destinations=monitor.DataCollectionRuleDestinationsArgs(
                monitoring_accounts=[
                    monitor.MonitoringAccountDestinationArgs(name=_DESTINATION, account_resource_id=workspace.id)
                ]
            ),
            data_flows=[monitor.DataFlowArgs(streams=[_STREAM], destinations=[_DESTINATION])],
            tags=scope.environment.tags,
            opts=own,
        )
        association = monitor.DataCollectionRuleAssociation(
            f"{name}-dcra",
            association_name=scope.name_of("dcra"),
            resource_uri=args.cluster.id,
            data_collection_rule_id=rule.id,
            description="Prometheus metrics of the cluster",
            opts=child(self, scope.environment.environment_class, deleted_with=args.cluster.cluster),
        )
        monitors = {
            "model-servers": servers_spec([MODELS_NAMESPACE, RDMA_NAMESPACE, KAITO_NAMESPACE]),
            "gpus": gpus_spec(args.gpu_stack),
        }
        for monitor_name, spec in monitors.items():
            apiextensions.CustomResource(
                f"{name}-{monitor_name}",
                api_version="azmonitoring.coreos.com/v1",
                kind="PodMonitor",
                metadata=meta.v1.ObjectMetaArgs(name=monitor_name, namespace=_NAMESPACE, labels=labels.MANAGED_BY),
                spec=spec,
                opts=args.access.child(self, depends_on=[association]),
            )
        self.workspace_id = workspace.id
        self.query_endpoint = workspace.metrics.apply(lambda metrics: metrics.prometheus_query_endpoint)
        self.ready = [association]
        self.register_outputs({"workspaceId": self.workspace_id, "queryEndpoint": self.query_endpoint})

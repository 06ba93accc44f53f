"""KEDA for one region's model servers: who asks Prometheus, and when servers become more and fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import apiextensions, meta

from components import labels, serving_names
from components.context import ScopeContext
from components.gpu_cluster import GpuCluster
from components.in_cluster import ClusterAccess
from components.managed_prometheus import ManagedPrometheus
from components.options import child
from components.roles import Role, assign
from components.scaled_objects import TRIGGER_AUTHENTICATION, scaled_object_spec
from components.workload_identity import workload_identity
from gpufleet.sizing.serving_plan import ServerPlan

_KEDA = "keda.sh/v1alpha1"
_KEDA_OPERATOR = ("kube-system", "keda-operator")
"""Namespace and service account of AKS's KEDA add-on (AKS keda-workload-identity)."""


@dataclass(frozen=True, kw_only=True)
class ModelAutoscalerArgs:
    """Arguments of ModelAutoscaler."""

    scope: ScopeContext
    cluster: GpuCluster
    access: ClusterAccess
    prometheus: ManagedPrometheus
    plans: Sequence[ServerPlan]
    floors: Mapping[str, Sequence[int]]
    """Servers that are up in each hour of the day in UTC, by `ServerPlan.name`."""
    servers: Mapping[str, Sequence[pulumi.Resource]] = field(default_factory=dict)
    """What each plan's servers are, by `ServerPlan.name`: an autoscaler comes after and goes before them."""


class ModelAutoscaler(pulumi.ComponentResource):
    """An identity that may read the region's metrics, KEDA's use of it, and a ScaledObject a plan.

    KEDA is AKS's add-on (`workloadAutoScalerProfile`) and has no secret: its service account's token is exchanged for
    one of the identity. A plan without room for a server has no ScaledObject.
    """

    def __init__(self, name: str, args: ModelAutoscalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ModelAutoscaler", name, {}, opts)
        scope = args.scope
        environment = scope.environment
        identity = workload_identity(
            self, name, scope=scope, cluster=args.cluster, purpose="keda", service_accounts=[_KEDA_OPERATOR]
        )
        role = assign(
            f"{name}-role-metrics",
            Role.MONITORING_DATA_READER,
            principal_id=identity.principal_id,
            scope=args.prometheus.workspace_id,
            environment=environment,
            opts=child(self, environment.environment_class),
        )
        authentication = apiextensions.CustomResource(
            f"{name}-authentication",
            api_version=_KEDA,
            kind="ClusterTriggerAuthentication",
            metadata=meta.v1.ObjectMetaArgs(name=TRIGGER_AUTHENTICATION, labels=labels.MANAGED_BY),
            spec={"podIdentity": {"provider": "azure-workload", "identityId": identity.client_id}},
            opts=args.access.child(self, depends_on=[*identity.credentials, role]),
        )
        for plan in args.plans:
            if plan.max_replicas < 1:
                continue
            apiextensions.CustomResource(
                f"{name}-{plan.name}",
                api_version=_KEDA,
                kind="ScaledObject",
                metadata=meta.v1.ObjectMetaArgs(
                    name=plan.name,
                    namespace=serving_names.namespace_of(plan),
                    labels={
                        **labels.MANAGED_BY,
                        serving_names.MODEL: plan.model.name,
                        serving_names.FORM: plan.form.label,
                    },
                ),
                spec=scaled_object_spec(plan, args.floors[plan.name], args.prometheus.query_endpoint),
                opts=args.access.child(
                    self, depends_on=[authentication, *args.prometheus.ready, *args.servers.get(plan.name, ())]
                ),
            )
        self.register_outputs({})

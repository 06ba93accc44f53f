"""The servers of one form of one model in one region, whatever runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta, policy

from components import server_pod, serving_names
from components.kaito import KaitoInferenceSet, KaitoInferenceSetArgs
from components.leader_worker_set import VllmGroups, VllmGroupsArgs
from components.model_weights import ModelWeights
from components.readiness import NOT_WAITED_FOR
from components.region_serving import RegionServing
from components.vllm_deployment import VllmDeployment, VllmDeploymentArgs
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.model import ServerKind


@dataclass(frozen=True, kw_only=True)
class ModelServerArgs:
    """Arguments of ModelServer."""

    serving: RegionServing
    plan: ServerPlan
    weights: ModelWeights
    namespaces: Mapping[str, pulumi.Input[str]]
    """Namespaces of servers by their names, as outputs of what makes them."""
    after: Sequence[pulumi.Resource]
    """What must be in the cluster before a server is."""


class ModelServer(pulumi.ComponentResource):
    """Servers of one plan, with a Service and a disruption budget of its name.

    The budget lets one server go at a time, and a broken one always: node upgrades and the autoscaler wait for the
    next server to be ready, and none waits for ever, not even for the only one.
    """

    ready: Sequence[pulumi.Resource]
    """What routes and autoscalers of these servers come after, and go before."""

    def __init__(self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ModelServer", name, {}, opts)
        plan, access = args.plan, args.serving.access
        namespace = args.namespaces[serving_names.namespace_of(plan)]
        servers = _servers(name, args, namespace, pulumi.ResourceOptions(parent=self))
        metadata = meta.v1.ObjectMetaArgs(name=plan.name, namespace=namespace, labels=server_pod.server_labels(plan))
        service = core.v1.Service(
            f"{name}-service",
            metadata=meta.v1.ObjectMetaArgs(
                name=plan.name,
                namespace=namespace,
                labels=server_pod.server_labels(plan),
                # Nothing to wait for where the floor is zero.
                annotations=None if plan.min_replicas else NOT_WAITED_FOR,
            ),
            spec=core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=server_pod.answering(plan),
                ports=[
                    core.v1.ServicePortArgs(
                        name=serving_names.HTTP_PORT_NAME,
                        port=serving_names.HTTP_PORT,
                        target_port=serving_names.KAITO_PORT if _by_kaito(plan) else serving_names.HTTP_PORT_NAME,
                        protocol="TCP",
                    )
                ],
            ),
            # A Service without servers would be waited for, and is there for nobody; with its servers it goes at last.
            opts=access.child(self, depends_on=[servers]),
        )
        budget = policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=metadata,
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1,
                selector=meta.v1.LabelSelectorArgs(match_labels=server_pod.selector(plan)),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
            opts=access.child(self, depends_on=list(args.after)),
        )
        self.ready = [servers, service, budget]
        self.register_outputs({})


def _servers(
    name: str, args: ModelServerArgs, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    plan, serving = args.plan, args.serving
    after = [*args.after, *(serving.pools[pool] for pool in plan.pools)]
    if _by_kaito(plan):
        workspaces = KaitoInferenceSetArgs(access=serving.access, plan=plan, namespace=namespace, after=after)
        return KaitoInferenceSet(f"{name}-kaito", workspaces, opts=opts).servers
    if plan.serving.fit.nodes == 1:
        deployment = VllmDeploymentArgs(
            access=serving.access,
            plan=plan,
            pools=serving.region.pools,
            namespace=namespace,
            weights=args.weights.volume(plan),
            after=after,
        )
        return VllmDeployment(f"{name}-vllm", deployment, opts=opts).deployment
    groups = VllmGroupsArgs(
        access=serving.access,
        plan=plan,
        pools=serving.region.pools,
        rdma_devices=serving.region.cluster.rdma_devices,
        namespace=namespace,
        weights=args.weights.volume(plan),
        after=after,
    )
    return VllmGroups(f"{name}-vllm", groups, opts=opts).groups


def _by_kaito(plan: ServerPlan) -> bool:
    return plan.model.server is ServerKind.KAITO

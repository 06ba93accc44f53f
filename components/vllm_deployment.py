"""vLLM servers whose replicas fit on one node: a Deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apps, core, meta

from components import server_pod, serving_names
from components.in_cluster import ClusterAccess
from components.model_weights import WEIGHTS_PATH, PodWeights, patience_seconds
from components.readiness import NOT_WAITED_FOR
from components.server_times import drain_times, start_times
from components.vllm_arguments import vllm_arguments
from gpufleet.errors import ConfigurationError
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.pool import Pool

_STABLE_SECONDS = 30
"""How long a new server must be ready before an old one goes: one that dies of its first requests is no success."""
_MARGIN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class VllmDeploymentArgs:
    """Arguments of VllmDeployment."""

    access: ClusterAccess
    plan: ServerPlan
    pools: Sequence[Pool]
    """Pools of the region."""
    namespace: pulumi.Input[str]
    weights: PodWeights
    after: Sequence[pulumi.Resource]
    """What is there before the servers, and goes after them: namespace, pools."""


class VllmDeployment(pulumi.ComponentResource):
    """The Deployment of a plan, under the plan's name.

    Its replicas are the autoscaler's after creation. A roll-out starts a new server before an old one goes where the
    pools can hold one more than their floor; on pools of a fixed size it takes one server away first, for a pod
    without a GPU would wait for ever (docs/adr/0029). At the pools' maximum it waits for requests to become fewer.

    A server ends as its answers do: out of the routes, then no new requests, then the last answer, then gone. Spot
    nodes have 30 seconds for all of it: what is not answered by then is cut off (AKS spot-node-pool).
    """

    deployment: apps.v1.Deployment

    def __init__(self, name: str, args: VllmDeploymentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:VllmDeployment", name, {}, opts)
        plan = args.plan
        progress = start_times(plan).progress_seconds + patience_seconds(plan)
        labels = server_pod.server_labels(plan)
        self.deployment = apps.v1.Deployment(
            f"{name}-deployment",
            metadata=meta.v1.ObjectMetaArgs(
                name=plan.name,
                namespace=args.namespace,
                labels=labels,
                # Nothing to wait for where the floor is zero.
                annotations=None if plan.min_replicas else NOT_WAITED_FOR,
            ),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=plan.min_replicas,
                selector=meta.v1.LabelSelectorArgs(match_labels=server_pod.selector(plan)),
                strategy=_strategy(plan),
                min_ready_seconds=_STABLE_SECONDS,
                progress_deadline_seconds=progress,
                revision_history_limit=3,
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(
                        labels={**labels, **args.weights.labels}, annotations=args.weights.annotations or None
                    ),
                    spec=_pod(args),
                ),
            ),
            opts=args.access.child(
                self,
                depends_on=[*args.after, *args.weights.depends_on],
                # KEDA's: a number of ours would stop servers that are needed. The provider leaves a field that is
                # ignored to its other manager (pulumi-kubernetes#2491).
                ignore_changes=["spec.replicas"],
                custom_timeouts=_timeouts(plan, progress),
            ),
        )
        self.register_outputs({})


def _strategy(plan: ServerPlan) -> apps.v1.DeploymentStrategyArgs:
    room = plan.max_replicas > plan.min_replicas
    return apps.v1.DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=apps.v1.RollingUpdateDeploymentArgs(max_surge=int(room), max_unavailable=int(not room)),
    )


def _timeouts(plan: ServerPlan, progress: int) -> pulumi.CustomTimeouts:
    """One server after the other where replicas roll; all at once when they are made or go."""
    grace = drain_times(plan).grace_seconds
    rolls = max(1, plan.max_replicas) * (start_times(plan).budget_seconds + _STABLE_SECONDS + grace)
    return pulumi.CustomTimeouts(
        create=f"{progress + _MARGIN_SECONDS}s",
        update=f"{progress + rolls + _MARGIN_SECONDS}s",
        delete=f"{grace + _MARGIN_SECONDS}s",
    )


def _pod(args: VllmDeploymentArgs) -> core.v1.PodSpecArgs:
    plan, weights = args.plan, args.weights
    return core.v1.PodSpecArgs(
        # A server has nothing to say to the API server.
        automount_service_account_token=False,
        # Else Services become variables, and one named vllm would set VLLM_PORT (vLLM docs: environment variables).
        enable_service_links=False,
        service_account_name=weights.service_account,
        priority_class_name=server_pod.priority_class(plan),
        affinity=server_pod.affinity(plan, args.pools),
        tolerations=server_pod.tolerations(plan, args.pools),
        topology_spread_constraints=server_pod.spread(plan, args.pools) or None,
        termination_grace_period_seconds=drain_times(plan).grace_seconds,
        security_context=server_pod.pod_security(plan),
        init_containers=list(weights.init_containers),
        containers=[
            core.v1.ContainerArgs(
                name=serving_names.SERVER_CONTAINER,
                image=server_image(plan),
                command=["vllm", "serve", WEIGHTS_PATH],
                args=vllm_arguments(plan),
                env=server_pod.environment(),
                ports=[
                    core.v1.ContainerPortArgs(
                        name=serving_names.HTTP_PORT_NAME, container_port=serving_names.HTTP_PORT, protocol="TCP"
                    )
                ],
                resources=server_pod.resources(plan),
                security_context=server_pod.container_security(),
                startup_probe=server_pod.startup_probe(plan),
                readiness_probe=server_pod.readiness_probe(),
                liveness_probe=server_pod.liveness_probe(),
                lifecycle=server_pod.lifecycle(plan),
                volume_mounts=[*server_pod.own_mounts(), *weights.mounts],
            )
        ],
        volumes=[*server_pod.own_volumes(), *weights.volumes],
    )


def server_image(plan: ServerPlan) -> str:
    """The image by digest. Raises ConfigurationError for a model without one."""
    image = plan.model.image
    if image is None:
        raise ConfigurationError(
            f"model {plan.model.name} has weights and no image for its servers",
            hint="State `image` by its digest, such as vllm/vllm-openai@sha256:….",
        )
    return image

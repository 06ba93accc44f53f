"""Models that KAITO serves: its operator, and an InferenceSet for each plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta, networking

from components import labels, server_pod, serving_names
from components.in_cluster import ClusterAccess, controller_tolerations, release, system_pool_affinity
from components.model_namespace import answered_from, pull_egress
from components.model_weights import patience_seconds
from components.operators import chart
from components.readiness import waits_for
from components.server_times import start_times
from gpufleet.errors import ConfigurationError
from gpufleet.sizing.serving_plan import ServerPlan

# Not `condition=InferenceSetReady`: KAITO leaves a condition's observedGeneration while nothing else of it changes, so
# the provider would wait in vain after an update (kaito-project/kaito v0.11.0, pkg/utils/inferenceset).
_READY = "jsonpath={.status.conditions[?(@.type=='InferenceSetReady')].status}=True"
_MARGIN_SECONDS = 300
API_VERSION, KIND = "kaito.sh/v1beta1", "InferenceSet"
_OPERATOR_NAMESPACE = "kaito-workspace"


@dataclass(frozen=True, kw_only=True)
class KaitoOperatorArgs:
    """Arguments of KaitoOperator."""

    access: ClusterAccess
    cluster_name: str


class KaitoOperator(pulumi.ComponentResource):
    """The Kubernetes AI Toolchain Operator by its chart, on the system pool.

    Not AKS's add-on of it: that makes nodes by itself, of sizes and in numbers that no plan, budget or quota check here
    knows of, in a version that AKS chooses. The chart can be told to use the nodes that are there.
    """

    ready: Sequence[pulumi.Resource]
    """What must be there before an InferenceSet is."""

    def __init__(self, name: str, args: KaitoOperatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:KaitoOperator", name, {}, opts)
        access = args.access
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(
                name=_OPERATOR_NAMESPACE, labels={labels.POD_SECURITY_ENFORCE: "restricted", **labels.MANAGED_BY}
            ),
            opts=access.child(self),
        )
        operator = release(
            f"{name}-operator",
            chart("kaito"),
            namespace,
            values=kaito_values(args.cluster_name),
            skip_await=False,
            # Its folder of definitions has other projects' alone: Karpenter's, and the inference extension's, which are
            # the gateway's here. KAITO's own are templates.
            skip_crds=True,
            opts=access.child(self),
        )
        self.ready = [operator]
        self.register_outputs({})


def kaito_values(cluster_name: str) -> dict[str, object]:
    """Values of the chart: nodes that are there, and nothing that the GPU stack already brings."""
    return {
        "clusterName": cluster_name,
        "featureGates": {"disableNodeAutoProvisioning": True},
        "nvidiaDevicePlugin": {"enabled": False},
        "gpu-feature-discovery": {"gfd": {"enabled": False}, "nfd": {"enabled": False}},
        # It takes raw NVMe disks, which scratch has joined where other servers have their weights.
        "localCSIDriver": {"useLocalCSIDriver": False},
        "tolerations": controller_tolerations(),
        "affinity": system_pool_affinity(),
    }


@dataclass(frozen=True, kw_only=True)
class KaitoInferenceSetArgs:
    """Arguments of KaitoInferenceSet."""

    access: ClusterAccess
    plan: ServerPlan
    namespace: pulumi.Input[str]
    after: Sequence[pulumi.Resource]
    """What is there before the servers, and goes after them: operator, namespace, pools."""


class KaitoInferenceSet(pulumi.ComponentResource):
    """The InferenceSet of a plan, under the plan's name: a workspace for each node, on the plan's size.

    An InferenceSet and not a Workspace: it has replicas and a scale subresource, so the same autoscaler serves both
    kinds of servers. Image and weights are those of KAITO's release, by tag and commit; it pulls the weights from
    Hugging Face onto the node's own disk at each start.

    Not here: probes, drain, priority, spread and security context of the pods, which KAITO decides; adapters, tuning.
    """

    servers: apiextensions.CustomResource

    def __init__(self, name: str, args: KaitoInferenceSetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:KaitoInferenceSet", name, {}, opts)
        plan, access = args.plan, args.access
        if plan.model.preset is None:
            raise ConfigurationError(
                f"model {plan.model.name} has no preset", hint="Name it as KAITO does: `preset`, such as phi-4."
            )
        policy = networking.v1.NetworkPolicy(
            f"{name}-policy",
            metadata=meta.v1.ObjectMetaArgs(name=plan.name, namespace=args.namespace, labels=labels.MANAGED_BY),
            spec=networking.v1.NetworkPolicySpecArgs(
                pod_selector=meta.v1.LabelSelectorArgs(match_labels=server_pod.selector(plan)),
                policy_types=["Ingress", "Egress"],
                ingress=[answered_from(serving_names.KAITO_PORT)],
                egress=pull_egress(),
            ),
            opts=access.child(self, depends_on=args.after),
        )
        wait = f"{start_times(plan).progress_seconds + patience_seconds(plan) + _MARGIN_SECONDS}s"
        self.servers = apiextensions.CustomResource(
            f"{name}-inference-set",
            api_version=API_VERSION,
            kind=KIND,
            metadata=meta.v1.ObjectMetaArgs(
                name=plan.name,
                namespace=args.namespace,
                labels=server_pod.server_labels(plan),
                annotations=waits_for(_READY),
            ),
            spec={
                # A workspace takes all GPUs of its nodes.
                "replicas": plan.min_replicas // plan.serving.fit.replicas_per_node,
                "labelSelector": {"matchLabels": {"node.kubernetes.io/instance-type": plan.serving.size.name}},
                "template": {
                    "metadata": {"labels": {serving_names.MODEL: plan.model.name}},
                    "resource": {"instanceType": plan.serving.size.name},
                    "inference": {"preset": {"name": plan.model.preset}},
                },
            },
            # KEDA's, as of a Deployment.
            opts=access.child(
                self,
                depends_on=[*args.after, policy],
                ignore_changes=["spec.replicas"],
                custom_timeouts=pulumi.CustomTimeouts(create=wait, update=wait),
            ),
        )
        self.register_outputs({})

"""The namespaces that a region's model servers are in, with the operators that run servers there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kaito import KaitoOperator, KaitoOperatorArgs
from components.leader_worker_set import LeaderWorkerSetOperator, LeaderWorkerSetOperatorArgs
from components.model_namespace import ModelNamespace, ModelNamespaceArgs
from components.region_serving import RegionServing
from components.serving_names import KAITO_NAMESPACE, MODELS_NAMESPACE, RDMA_NAMESPACE, namespace_of


@dataclass(frozen=True, kw_only=True)
class ServingNamespace:
    """One such namespace."""

    name: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]
    """What must be there before a server is: the namespace, its policies, its operator."""


def serving_namespaces(serving: RegionServing, opts: pulumi.ResourceOptions) -> dict[str, ServingNamespace]:
    """By name: `models`, and of the others those that the region's plans have servers in."""
    prefix, access = serving.scope.name, serving.access
    used = {namespace_of(plan) for plan in serving.plans}
    found = {MODELS_NAMESPACE: _made(serving, ModelNamespaceArgs(access=access, namespace=MODELS_NAMESPACE), opts)}
    if RDMA_NAMESPACE in used:
        operator = LeaderWorkerSetOperator(f"{prefix}-lws", LeaderWorkerSetOperatorArgs(access=access), opts=opts)
        found[RDMA_NAMESPACE] = _made(
            serving,
            ModelNamespaceArgs(
                access=access,
                namespace=RDMA_NAMESPACE,
                pod_security="privileged",
                servers_reach_each_other=True,
                after=[operator.policy],
            ),
            opts,
            operator.ready,
        )
    if KAITO_NAMESPACE in used:
        cluster_name = serving.scope.name_of("aks")
        kaito = KaitoOperator(f"{prefix}-kaito", KaitoOperatorArgs(access=access, cluster_name=cluster_name), opts=opts)
        found[KAITO_NAMESPACE] = _made(
            serving,
            # KAITO's pods say nothing of users and capabilities, which `restricted` asks for.
            ModelNamespaceArgs(access=access, namespace=KAITO_NAMESPACE, pod_security="baseline"),
            opts,
            kaito.ready,
        )
    return found


def _made(
    serving: RegionServing,
    args: ModelNamespaceArgs,
    opts: pulumi.ResourceOptions,
    operator: Sequence[pulumi.Resource] = (),
) -> ServingNamespace:
    namespace = ModelNamespace(f"{serving.scope.name}-{args.namespace}", args, opts=opts)
    return ServingNamespace(name=namespace.name, ready=[*namespace.ready, *operator])

"""What serves models in one region's cluster, in the order in which it depends on each other."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.model_namespace import ModelNamespace, ModelNamespaceArgs
from components.model_server import ModelServer, ModelServerArgs
from components.model_weights import ModelWeights, ModelWeightsArgs
from components.region_autoscaling import add_autoscaling
from components.region_serving import RegionServing
from components.serving_names import MODELS_NAMESPACE, namespace_of
from components.serving_priorities import ServingPriorities, ServingPrioritiesArgs


def add_serving(serving: RegionServing) -> Sequence[pulumi.Resource]:
    """Add everything that serves: servers, autoscaling, gateway. Each part is one call.

    Returns what must be there before requests come to the region, and may go only once none come any more.
    """
    servers = _servers(serving)
    add_autoscaling(serving, {plan.name: server.ready for plan, server in zip(serving.plans, servers, strict=True)})
    return [resource for server in servers for resource in server.ready]


def _servers(serving: RegionServing) -> list[ModelServer]:
    prefix, access = serving.scope.name, serving.access
    opts = pulumi.ResourceOptions(parent=serving.parent)
    namespaces = {
        name: ModelNamespace(f"{prefix}-{name}", ModelNamespaceArgs(access=access, namespace=name), opts=opts)
        for name in (MODELS_NAMESPACE,)
    }
    priorities = ServingPriorities(f"{prefix}-serving", ServingPrioritiesArgs(access=access), opts=opts)
    names = {name: namespace.name for name, namespace in namespaces.items()}
    ready = [resource for namespace in namespaces.values() for resource in namespace.ready]
    weights = ModelWeights(
        f"{prefix}-weights", ModelWeightsArgs(serving=serving, namespaces=names, after=ready), opts=opts
    )
    return [
        ModelServer(
            f"{prefix}-{plan.name}",
            ModelServerArgs(
                serving=serving,
                plan=plan,
                weights=weights,
                namespaces=names,
                after=[*namespaces[namespace_of(plan)].ready, *priorities.ready],
            ),
            opts=opts,
        )
        for plan in serving.plans
    ]

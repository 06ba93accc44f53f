"""What serves models in one region's cluster, in the order in which it depends on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.inference_gateway import InferenceGateway, InferenceGatewayArgs
from components.model_server import ModelServer, ModelServerArgs
from components.model_weights import ModelWeights, ModelWeightsArgs
from components.region_autoscaling import add_autoscaling
from components.region_serving import RegionServing
from components.serving_names import namespace_of
from components.serving_namespaces import ServingNamespace, serving_namespaces
from components.serving_priorities import ServingPriorities, ServingPrioritiesArgs


def add_serving(serving: RegionServing) -> Sequence[pulumi.Resource]:
    """Add everything that serves: servers, autoscaling, gateway. Each part is one call.

    Returns what must be there before requests come to the region, and may go only once none come any more.
    """
    prefix, opts = serving.scope.name, pulumi.ResourceOptions(parent=serving.parent)
    namespaces = serving_namespaces(serving, opts)
    servers = {
        plan.name: server.ready for plan, server in zip(serving.plans, _servers(serving, namespaces), strict=True)
    }
    add_autoscaling(serving, servers)
    names = {name: namespace.name for name, namespace in namespaces.items()}
    gateway = InferenceGateway(
        f"{prefix}-gateway", InferenceGatewayArgs(serving=serving, namespaces=names, servers=servers), opts=opts
    )
    return gateway.ready


def _servers(serving: RegionServing, namespaces: Mapping[str, ServingNamespace]) -> list[ModelServer]:
    prefix, access = serving.scope.name, serving.access
    opts = pulumi.ResourceOptions(parent=serving.parent)
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

"""Metrics, rules and autoscaling of one region's model servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.managed_prometheus import ManagedPrometheus, ManagedPrometheusArgs
from components.model_autoscaler import ModelAutoscaler, ModelAutoscalerArgs
from components.prometheus_rules import PrometheusRules, PrometheusRulesArgs
from components.region_serving import RegionServing
from components.serving_rules import rule_groups
from gpufleet.sizing.hourly_floors import hourly_floors


def add_autoscaling(serving: RegionServing, servers: Mapping[str, Sequence[pulumi.Resource]]) -> None:
    """Add managed Prometheus, its rules, and KEDA's ScaledObjects.

    Args:
        serving: the region.
        servers: what an autoscaler comes after and goes before, by `ServerPlan.name`.
    """
    region = serving.region
    opts = pulumi.ResourceOptions(parent=serving.parent)
    floors = {name: hours for (place, name), hours in hourly_floors(serving.inference).items() if place == region.name}
    prometheus = ManagedPrometheus(
        f"{region.name}-prometheus",
        ManagedPrometheusArgs(
            scope=serving.scope,
            cluster=serving.cluster,
            access=serving.access,
            gpu_stack=region.cluster.gpu_stack,
        ),
        opts=opts,
    )
    PrometheusRules(
        f"{region.name}-rules",
        PrometheusRulesArgs(
            scope=serving.scope,
            cluster=serving.cluster,
            workspace_id=prometheus.workspace_id,
            groups=rule_groups(region, serving.plans, floors),
        ),
        opts=opts,
    )
    ModelAutoscaler(
        f"{region.name}-autoscaler",
        ModelAutoscalerArgs(
            scope=serving.scope,
            cluster=serving.cluster,
            access=serving.access,
            prometheus=prometheus,
            plans=serving.plans,
            floors=floors,
            servers=servers,
        ),
        opts=opts,
    )

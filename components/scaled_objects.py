"""When KEDA starts and stops the servers of a plan: the spec of its ScaledObject.

Signals: the requests that wait and the fill of the KV cache, never the utilisation of the GPU (SCALE010). Both are sums
over the servers with a target for each (`AverageValue`), so the servers wanted are ⌈sum / target⌉ (Kubernetes docs:
horizontal-pod-autoscale, algorithm details). The KV cache fills in proportion to the work at hand, so it also holds the
servers that keep a queue empty; the queue alone would give them up as soon as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import pulumi

from components import serving_names
from components.scale_target import scale_target
from gpufleet.sizing.hourly_floors import HOURS, windows
from gpufleet.sizing.serving_plan import ServerPlan

TRIGGER_AUTHENTICATION: Final = "azure-monitor"

POLLING_SECONDS: Final = 30
"""KEDA's default. Each question is a query of the workspace, so the HorizontalPodAutoscaler, which asks every 15 s,
gets the last answer (`useCachedMetrics`)."""
FAILURES_UNTIL_FALLBACK: Final = 3
CRON_LEAD_MINUTES: Final = 15
"""A scheduled floor begins that much before its hour: a node of a pool is there after some 6 minutes
(gpufleet/catalog/data/provisioning.csv), and the server on it loads its weights. Ours, not measured."""
LONGEST_STABILIZATION_SECONDS: Final = 3600
LONGEST_PERIOD_SECONDS: Final = 1800
"""Kubernetes takes no longer ones (autoscaling/v2 HPAScalingRules, HPAScalingPolicy)."""


def scaled_object_spec(plan: ServerPlan, floors: Sequence[int], query_endpoint: pulumi.Input[str]) -> dict[str, object]:
    """Spec of the ScaledObject of a plan's servers.

    One server at least stays up: only a server that runs has a queue to be seen. Where Prometheus doesn't answer, or
    has nothing of these servers, there are as many as at the busiest hour, or as there are now if that is more: a
    metric that is away must not stop a server.

    Args:
        plan: the servers.
        floors: servers that are up in each of the 24 hours of the day in UTC, whatever the load.
        query_endpoint: where the region's metrics are asked for.
    """
    target = scale_target(plan)
    floors = [math.ceil(floor / target.servers) for floor in floors]
    least = max(1, min(floors))
    return {
        "scaleTargetRef": {"apiVersion": target.api_version, "kind": target.kind, "name": plan.name},
        "pollingInterval": POLLING_SECONDS,
        "minReplicaCount": least,
        "maxReplicaCount": max(least, plan.max_replicas // target.servers),
        "fallback": {
            "failureThreshold": FAILURES_UNTIL_FALLBACK,
            "replicas": max(least, *floors),
            "behavior": "currentReplicasIfHigher",
        },
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(plan)}},
        "triggers": [*_load_triggers(plan, query_endpoint), *_cron_triggers(floors, least)],
    }


def _behavior(plan: ServerPlan) -> dict[str, object]:
    """Up at once, as fast as Kubernetes doubles; down slowly.

    A server that is stopped drains its streams by itself. Going down by one server, or a tenth of many, in the time of
    the longest stream means that the next is stopped when the last is done with draining, and that what it gave up has
    shown in the others' queues. KEDA's own `cooldownPeriod` is for the last server alone (KEDA docs:
    scaledobject-spec), so `cooldownSeconds` is the window of this.
    """
    model = plan.model
    period = min(LONGEST_PERIOD_SECONDS, model.longest_stream_seconds)
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 60},
                {"type": "Pods", "value": 4, "periodSeconds": 60},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": min(LONGEST_STABILIZATION_SECONDS, model.autoscaling.cooldown_seconds),
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 1, "periodSeconds": period},
                {"type": "Percent", "value": 10, "periodSeconds": period},
            ],
        },
    }


def _load_triggers(plan: ServerPlan, query_endpoint: pulumi.Input[str]) -> Iterator[dict[str, object]]:
    autoscaling = plan.model.autoscaling
    signals = (
        ("waiting", serving_names.WAITING, f"{autoscaling.waiting_requests_per_replica}"),
        ("kv-cache", serving_names.KV_CACHE, f"{autoscaling.kv_cache_percent / 100:g}"),
    )
    for name, metric, threshold in signals:
        yield {
            "type": "prometheus",
            "name": name,
            "metricType": "AverageValue",
            "useCachedMetrics": True,
            "metadata": {
                "serverAddress": query_endpoint,
                # A minute's mean, for one burst of a second is no load.
                "query": f'sum(avg_over_time({metric}{{server="{plan.name}"}}[1m]))',
                "threshold": threshold,
                # Nothing there is a failure, not a load of 0: servers would be stopped while the metrics are away.
                "ignoreNullValues": "false",
            },
            "authenticationRef": {"name": TRIGGER_AUTHENTICATION, "kind": "ClusterTriggerAuthentication"},
        }


def _cron_triggers(floors: Sequence[int], least: int) -> Iterator[dict[str, object]]:
    for start, end, floor in windows(tuple(floors)):
        if floor > least:
            yield {
                "type": "cron",
                "name": f"from-{start:02}",
                "metadata": {
                    "timezone": "Etc/UTC",
                    "start": f"{60 - CRON_LEAD_MINUTES} {(start - 1) % HOURS} * * *",
                    "end": f"0 {end} * * *",
                    "desiredReplicas": f"{floor}",
                },
            }

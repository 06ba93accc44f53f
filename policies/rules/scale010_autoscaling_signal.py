"""SCALE010: what model servers scale by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from policies.in_cluster import objects
from policies.reading import Properties
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_SCALED_OBJECT = "keda.sh/ScaledObject"
_HPA = "autoscaling/HorizontalPodAutoscaler"


class AutoscalingSignalSettings(Settings):
    """What SCALE010 takes for the use of a GPU."""

    utilisation_metrics: list[str] = ["DCGM_FI_DEV_GPU_UTIL", "nvidia_gpu_duty_cycle"]
    """Metrics that say how much of the time a kernel runs on a GPU, in any case of letters."""
    clocks: list[str] = ["cron"]
    """KEDA triggers that go by the time of day and not by load."""


class AutoscalingSignal(Rule[Resource, AutoscalingSignalSettings]):
    """An autoscaler of model servers has a signal besides the utilisation of the GPU.

    A GPU counts as used as soon as any kernel runs on it: one request at a time shows 100 %, and so does a queue of a
    thousand. Requests that wait, and the fill of the KV cache, tell the two apart
    (vllm:num_requests_waiting, vllm:kv_cache_usage_perc).
    """

    id = "SCALE010"
    pack = Pack.SCALING
    severity = Severity.MEDIUM
    enforcement = Enforcement.ADVISORY
    scope = Scope.RESOURCE
    fix = "Scale by the requests that wait, such as vllm:num_requests_waiting"
    source = (
        "AKS autoscale-gpu-workloads-with-keda, best-practices-gpu-observability; "
        "kubernetes-sigs/gateway-api-inference-extension docs/proposals/003-model-server-protocol"
    )
    settings = AutoscalingSignalSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """KEDA's ScaledObjects and HorizontalPodAutoscalers."""
        return objects(view, _SCALED_OBJECT, _HPA)

    def judge(self, subject: Resource, view: View, settings: AutoscalingSignalSettings) -> Iterator[Objection]:
        """Whether any signal is another one than the utilisation of the GPU."""
        signals = [one for one in _signals(subject) if one.text("type") not in settings.clocks]
        if signals and all(_is_utilisation(one, settings) for one in signals):
            yield Objection(
                message=f"{subject.node.name} scales by the utilisation of the GPU alone, which is 100 % with one "
                "request as with a thousand"
            )


def _signals(subject: Resource) -> tuple[Properties, ...]:
    """KEDA's triggers, or the metrics of a HorizontalPodAutoscaler."""
    return (*subject.properties.each("spec", "triggers"), *subject.properties.each("spec", "metrics"))


def _is_utilisation(signal: Properties, settings: AutoscalingSignalSettings) -> bool:
    if signal.text("type") in ("Pods", "Object", "External"):
        name = signal.text(str(signal.text("type")).casefold(), "metric", "name") or ""
    else:
        name = json.dumps([signal.text("metadata", key) for key in ("query", "metricName")])
    return any(metric.casefold() in name.casefold() for metric in settings.utilisation_metrics)

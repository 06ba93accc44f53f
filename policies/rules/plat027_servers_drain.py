"""PLAT027: how long model servers have to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.serving_names import MODEL
from gpufleet.spec.model import Model
from policies.in_cluster import cluster_of
from policies.model_servers import asks_for_gpus, model_servers, template
from policies.reading import Properties
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_DEFAULT_GRACE_SECONDS = 30
"""Kubernetes' own (pod-lifecycle: terminationGracePeriodSeconds)."""


class ServersDrainSettings(Settings):
    """What PLAT027 counts with."""

    longest_stream_seconds: int = 600
    """Longest answer of a server whose model is not declared."""
    autoscaler_seconds: int = 600
    """How long AKS's autoscaler waits for a pod unless told (AKS cluster-autoscaler: max-graceful-termination-sec)."""


class ServersDrain(Rule[Resource, ServersDrainSettings]):
    """A model server has longer to end than its longest answer takes, and so has the node under it.

    Kubernetes kills a pod when its grace period is over, and the wait of its preStop hook is part of it; the cluster
    autoscaler kills what takes longer than it waits itself. An answer that streams for ten minutes is lost with either.
    A spot node's 30 seconds are Azure's, so answers there end with the node whatever is set.
    """

    id = "PLAT027"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    scope = Scope.STACK
    fix = "Set terminationGracePeriodSeconds above the wait of preStop and longestStreamSeconds together"
    source = "Kubernetes pod-lifecycle, AKS cluster-autoscaler, vllm-project/vllm pull 36666"
    settings = ServersDrainSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Workloads of inference regions whose pods ask for GPUs."""
        return model_servers(view)

    def judge(self, subject: Resource, view: View, settings: ServersDrainSettings) -> Iterator[Objection]:
        """Its grace period, then the autoscaler's."""
        if not asks_for_gpus(subject):
            return
        name = subject.node.name
        spec = template(subject).below("spec")
        grace = spec.integer("terminationGracePeriodSeconds")
        grace = _DEFAULT_GRACE_SECONDS if grace is None else grace
        needed = _wait(spec) + _longest(template(subject), view, settings)
        if grace <= needed:
            yield Objection(
                message=f"{name} has {grace} s to end, and its longest answer with the wait before it takes {needed} s"
            )
        waits = _autoscaler(view, subject, settings)
        if waits < grace:
            yield Objection(
                message=f"{name} has {grace} s to end, and the autoscaler kills it after {waits} s",
                fix="Raise cluster.autoscaler.maxGracefulTerminationSec",
                setting=("cluster", "autoscaler", "maxGracefulTerminationSec"),
            )


def _wait(spec: Properties) -> int:
    """Of the preStop hooks that sleep; what others take nobody knows, and they add to it."""
    return max(
        (one.integer("lifecycle", "preStop", "sleep", "seconds") or 0 for one in spec.each("containers")), default=0
    )


def _longest(pods: Properties, view: View, settings: ServersDrainSettings) -> int:
    label = pods.text("metadata", "labels", MODEL)
    models: list[Model] = []
    if label is not None and view.declared is not None and view.declared.environment.inference is not None:
        models = view.declared.environment.inference.models
    return next((one.longest_stream_seconds for one in models if one.name == label), settings.longest_stream_seconds)


def _autoscaler(view: View, subject: Resource, settings: ServersDrainSettings) -> int:
    cluster = Properties(cluster_of(view, subject).properties)
    text = cluster.text("autoScalerProfile", "maxGracefulTerminationSec")
    return int(text) if text is not None and text.isdecimal() else settings.autoscaler_seconds

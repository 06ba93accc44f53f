"""What serves models in a stack's clusters: workloads of inference regions whose pods ask for GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from policies.in_cluster import objects
from policies.reading import Properties, may
from policies.view import Resource, View

_SETS: Final = "leaderworkerset.x-k8s.io/LeaderWorkerSet"
_SERVERS: Final = ("apps/Deployment", "apps/StatefulSet", _SETS)
_GPU: Final = re.compile(r"^(nvidia|amd)\.com/(gpu|mig-.+)$")


def model_servers(view: View) -> Iterable[Resource]:
    """Workloads of inference regions that ask for GPUs, or of which nobody knows."""
    serving = [one for one in objects(view, *_SERVERS) if one.place is not None and one.place.kind == "inference"]
    return may(serving, asks_for_gpus)


def is_set(workload: Resource) -> bool:
    """Whether its replicas are groups of pods (LeaderWorkerSet)."""
    return workload.type.endswith(":LeaderWorkerSet")


def template(workload: Resource) -> Properties:
    """The pod template; of a group, its workers'. Raises UndecidedError, MistypedError."""
    if is_set(workload):
        return workload.properties.below("spec", "leaderWorkerTemplate", "workerTemplate")
    return workload.properties.below("spec", "template")


def asks_for_gpus(workload: Resource) -> bool:
    """Whether its pods do. Raises UndecidedError, MistypedError."""
    spec = template(workload).below("spec")
    return any(
        _GPU.match(resource)
        for container in (*spec.each("containers"), *spec.each("initContainers"))
        for part in ("limits", "requests")
        for resource in container.below("resources", part).values
    )

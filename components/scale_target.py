"""What an autoscaler scales for the servers of a plan: its kind."""

from __future__ import annotations

from dataclasses import dataclass

from components import kaito, leader_worker_set
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.model import ServerKind


@dataclass(frozen=True, kw_only=True)
class ScaleTarget:
    """An object with a scale subresource; its name is that of the plan, its namespace `serving_names.namespace_of`."""

    api_version: str
    kind: str
    servers: int = 1
    """Servers of the plan that one of its replicas is: KAITO takes whole nodes."""


def scale_target(plan: ServerPlan) -> ScaleTarget:
    """A Deployment of servers on one node each, a LeaderWorkerSet over several, or KAITO's InferenceSet.

    All three have a scale subresource, in which a replica is a server and not a pod (kubernetes-sigs/lws
    api/leaderworkerset/v1; kaito-project/kaito api/v1beta1 inferenceset_types.go).
    """
    if plan.model.server is ServerKind.KAITO:
        return ScaleTarget(api_version=kaito.API_VERSION, kind=kaito.KIND, servers=plan.serving.fit.replicas_per_node)
    if plan.serving.fit.nodes > 1:
        return ScaleTarget(api_version=leader_worker_set.API_VERSION, kind=leader_worker_set.KIND)
    return ScaleTarget(api_version="apps/v1", kind="Deployment")

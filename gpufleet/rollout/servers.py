"""Whether model servers run what they were last given, from the objects of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PATHS = (
    "/apis/apps/v1/deployments",
    "/apis/leaderworkerset.x-k8s.io/v1/leaderworkersets",
    "/apis/kaito.sh/v1beta1/workspaces",
)
"""Collections of what runs model servers."""


def behind(objects: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Servers whose pods are not all new and ready, each with why.

    Args:
        objects: Deployments, LeaderWorkerSets and KAITO Workspaces. An object without a status is behind: its
            controller has not seen it.
    """
    for one in objects:
        name, kind = (one.get("metadata") or {}).get("name", ""), one.get("kind", "")
        why = _of_workspace(one) if kind == "Workspace" else _of_replicas(one)
        if why:
            yield f"{name}: {why}"


def _of_replicas(one: Mapping[str, Any]) -> str:
    """As `kubectl rollout status` judges a Deployment; a LeaderWorkerSet has the same fields."""
    status = one.get("status") or {}
    wanted = (one.get("spec") or {}).get("replicas", 1)
    if status.get("observedGeneration", 0) < (one.get("metadata") or {}).get("generation", 0):
        return "its controller has not seen the change yet"
    for key, what in (("updatedReplicas", "new"), ("readyReplicas", "ready")):
        if status.get(key, 0) < wanted:
            return f"{status.get(key, 0)} of {wanted} replicas are {what}"
    if status.get("replicas", 0) > wanted:
        return f"{status['replicas'] - wanted} old replicas are still there"
    return ""


def _of_workspace(one: Mapping[str, Any]) -> str:
    conditions = (one.get("status") or {}).get("conditions") or []
    ready = next((condition for condition in conditions if condition.get("type") == "WorkspaceSucceeded"), None)
    if ready is not None and ready.get("status") == "True":
        return ""
    return str((ready or {}).get("message") or "KAITO has not made it ready yet")

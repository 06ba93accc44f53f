"""What controllers of charts say of objects in their status: whether servers and gateways are ready.

Computed when somebody looks, never stored: a controller that is installed later, or an address that is missing, shows
at once. Pods are not emulated, so servers are ready as soon as their operator is there; how long that takes is the
provider's wait (sandbox/data/durations.csv).

Sources: kubernetes-sigs/lws v0.9.0 (pkg/controllers), kaito-project/kaito v0.11.0 (pkg/inferenceset),
agentgateway/agentgateway v1.4.1 (controller/pkg/controller/gw_controller.go), Kubernetes Gateway API v1.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.kubernetes.cloud_provider import gateway_annotations, load_balancer_address
from sandbox.kubernetes.fields import mapped
from sandbox.kubernetes.kinds import Kind
from sandbox.store import Store
from sandbox.values import Properties, reveal


@dataclass(frozen=True, kw_only=True)
class _Look:
    """An object, and where it is."""

    store: Store
    cluster_id: str
    prefix: str
    body: Properties


def _gateway(look: _Look) -> Properties | None:
    if mapped(look.body, "spec").get("gatewayClassName") != "agentgateway":
        return None
    status: Properties = {"conditions": [_true(look, "Accepted"), _true(look, "Programmed")]}
    annotations = gateway_annotations(look.store.get, look.prefix, look.body)
    address = load_balancer_address(look.store.get, look.cluster_id, annotations)
    return status if address is None else {**status, "addresses": [{"type": "IPAddress", "value": address}]}


def _groups(look: _Look) -> Properties:
    replicas = mapped(look.body, "spec").get("replicas", 1)
    return {"replicas": replicas, "readyReplicas": replicas, "conditions": [_true(look, "Available")]}


def _inference_set(look: _Look) -> Properties:
    replicas = mapped(look.body, "spec").get("replicas", 1)
    return {"replicas": replicas, "readyReplicas": replicas, "conditions": [_true(look, "InferenceSetReady")]}


_CONTROLLERS: Mapping[tuple[str, str], tuple[str, Callable[[_Look], Properties | None]]] = {
    ("gateway.networking.k8s.io", "Gateway"): ("agentgateway", _gateway),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): ("lws", _groups),
    ("kaito.sh", "InferenceSet"): ("workspace", _inference_set),
}
"""By group and kind: the chart whose controller it is, and what that writes."""


def status_of(store: Store, cluster_id: str, prefix: str, kind: Kind, body: Properties) -> Properties | None:
    """The status of an object, or None where nothing in the cluster writes one.

    Args:
        store: the cloud.
        cluster_id: the cluster's ARM id.
        prefix: what the keys of its objects start with.
        kind: the object's kind.
        body: the object.
    """
    chart, write = _CONTROLLERS.get((kind.group, kind.kind), ("", None))
    if write is None:
        return None
    releases = (record["object"] for _, record in store.items(f"{prefix}helm.sh/Release/"))
    if not any(str(reveal(release.get("chart"))).rpartition("/")[2] == chart for release in releases):
        return None
    return write(_Look(store=store, cluster_id=cluster_id, prefix=prefix, body=body))


def _true(look: _Look, kind: str) -> Properties:
    return {"type": kind, "status": "True", "observedGeneration": mapped(look.body, "metadata").get("generation")}

"""Admission: what the API server refuses because of other objects, and what it warns of.

Source: plugin/pkg/admission of k8s.io/kubernetes (priority, serviceaccount, security/podsecurity).
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.errors import KubernetesError
from sandbox.kubernetes.fields import mapped
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.pod_security import violations
from sandbox.kubernetes.rules.model import POD_SPECS
from sandbox.values import Properties, Value, reveal

_SYSTEM_PRIORITIES = frozenset({"system-node-critical", "system-cluster-critical"})


def admit(
    kind: Kind, namespace: Properties, body: Properties, objects: Iterable[tuple[str, Properties]], *, creates: bool
) -> None:
    """Refuse what other objects do not allow.

    Args:
        kind: the object's kind.
        namespace: its live namespace; empty without one.
        body: the object as it shall be.
        objects: everything in the cluster, by ``group/kind/namespace/name`` in lower case.
        creates: it is new.

    Raises:
        KubernetesError: Forbidden, with the plugin's words.
    """
    if kind.key == "scheduling.k8s.io/PriorityClass":
        _one_default(kind, body, objects)
    if kind.key == "/Pod" and creates:
        _pod(kind, namespace, body, objects)


def _forbidden(kind: Kind, body: Properties, text: str) -> KubernetesError:
    return KubernetesError(
        "Forbidden", f'{kind.resource} "{mapped(body, "metadata").get("name")}" is forbidden: {text}'
    )


def _one_default(kind: Kind, body: Properties, objects: Iterable[tuple[str, Properties]]) -> None:
    if body.get("globalDefault") is not True:
        return
    own = mapped(body, "metadata").get("name")
    for key, other in objects:
        name = mapped(other, "metadata").get("name")
        if key.startswith("scheduling.k8s.io/priorityclass/") and name != own and other.get("globalDefault") is True:
            text = f"PriorityClass {name} is already marked as default. Only one default can exist"
            raise _forbidden(kind, body, text)


def _pod(kind: Kind, namespace: Properties, body: Properties, objects: Iterable[tuple[str, Properties]]) -> None:
    spec, keys = mapped(reveal(body), "spec"), {key for key, _ in objects}
    place = mapped(namespace, "metadata").get("name")
    priority = spec.get("priorityClassName")
    if priority and priority not in _SYSTEM_PRIORITIES and f"scheduling.k8s.io/priorityclass//{priority}" not in keys:
        raise _forbidden(kind, body, f"no PriorityClass with name {priority} was found")
    account = spec.get("serviceAccountName") or "default"
    # Every namespace has the account "default" from the start.
    if account != "default" and f"/serviceaccount/{place}/{account}".lower() not in keys:
        text = f'error looking up service account {place}/{account}: serviceaccount "{account}" not found'
        raise _forbidden(kind, body, text)
    found = violations(mapped(mapped(namespace, "metadata"), "labels"), "enforce", spec)
    if found:
        raise _forbidden(kind, body, f"violates {found}")


def pod_security_warnings(kind: Kind, body: Properties, namespace: Properties) -> list[str]:
    """What the namespace's level says to a workload: its pods would be refused, the workload itself is not."""
    path = POD_SPECS.get(kind.key)
    if path is None:
        return []
    spec: Value = reveal(body)
    for step in path.split("."):
        spec = mapped(spec, step)
    found = violations(mapped(mapped(namespace, "metadata"), "labels"), "warn", spec)
    return [f"would violate {found}"] if found else []

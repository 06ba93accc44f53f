"""What AKS's cloud provider makes in Azure for load balancers: Private Link services that annotations ask for.

The controller of a gateway makes its Service, and no controller runs here, so the annotations count where a gateway's
author writes them: on the Service itself, a Gateway's infrastructure, agentgateway's parameters.
"""

from __future__ import annotations

from sandbox.arm import name_of
from sandbox.store import Record, Transaction
from sandbox.values import Properties, Value, reveal

_AZURE = "service.beta.kubernetes.io/azure-"
_PLACES = {
    "Service": ("metadata", "annotations"),
    "Gateway": ("spec", "infrastructure", "annotations"),
    "AgentgatewayParameters": ("spec", "service", "metadata", "annotations"),
}
_SERVICE = "azure-native:network:PrivateLinkService"
_MADE = "private-link/"


def reconcile(transaction: Transaction, cluster_id: str, key: str, kind: str, body: Properties) -> None:
    """Make the Private Link service that an object asks for (cloud-provider-azure: pls-integration)."""
    annotations = reveal(_at(body, _PLACES.get(kind, ())))
    if not isinstance(annotations, dict) or annotations.get(f"{_AZURE}pls-create") != "true":
        return
    cluster = transaction.get(cluster_id)
    group = annotations.get(f"{_AZURE}pls-resource-group")
    name = annotations.get(f"{_AZURE}pls-name")
    if cluster is None or not group or not name:
        return
    scope = "/".join(cluster_id.split("/")[:3])
    service = f"{scope}/resourceGroups/{group}/providers/Microsoft.Network/privateLinkServices/{name}"
    known = transaction.get(service)
    visible = {"subscriptions": str(annotations.get(f"{_AZURE}pls-visibility", "")).split()}
    outputs: Properties = {
        "name": name_of(service),
        "type": "Microsoft.Network/privateLinkServices",
        "location": cluster["outputs"]["location"],
        "visibility": visible,
        "autoApproval": {"subscriptions": str(annotations.get(f"{_AZURE}pls-auto-approval", "")).split()},
        "provisioningState": "Succeeded",
    }
    record: Record = {
        "id": service,
        "token": _SERVICE,
        "generation": 1,
        "created": (known or cluster)["created"],
        "inputs": {},
        "outputs": outputs,
    }
    transaction.put(service, record)
    transaction.put(_MADE + key.lower(), {"id": service})


def sweep(transaction: Transaction, prefix: str) -> None:
    """Take away the Private Link services of objects below a prefix that are gone."""
    for key in transaction.under(_MADE + prefix.lower()):
        made = transaction.get(key)
        if made is not None and transaction.get(key.removeprefix(_MADE)) is None:
            transaction.delete(made["id"])
            transaction.delete(key)


def _at(body: Value, path: tuple[str, ...]) -> Value:
    if not path:
        return None
    for step in path:
        body = reveal(body)
        body = body.get(step) if isinstance(body, dict) else None
    return body

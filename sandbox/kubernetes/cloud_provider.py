"""What AKS's cloud provider makes in Azure for load balancers: addresses, and Private Link services.

The controller of a gateway makes its Service, and no controller runs here, so the annotations count where a gateway's
author writes them: on the Service itself, a Gateway's infrastructure, the agentgateway parameters that it names.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Iterator, Mapping

from sandbox.arm import name_of
from sandbox.kubernetes.fields import mapped
from sandbox.store import Record, Transaction
from sandbox.values import Properties, Value, reveal

_AZURE = "service.beta.kubernetes.io/azure-"
_SERVICE = "azure-native:network:PrivateLinkService"
_MADE = "private-link/"
_GATEWAYS = "gateway.networking.k8s.io/Gateway/"
_PARAMETERS = "agentgateway.dev/AgentgatewayParameters"

Get = Callable[[str], Record | None]


def reconcile(transaction: Transaction, cluster_id: str, key: str, kind: str, body: Properties) -> None:
    """Make the Private Link services that an object asks for (cloud-provider-azure: pls-integration).

    A gateway's is made with its Service, so with the Gateway and not with the parameters that it names.
    """
    body, prefix = reveal(body), f"{cluster_id}//"
    if kind == "Service":
        _private_link(transaction, cluster_id, key, mapped(mapped(body, "metadata"), "annotations"))
    elif kind == "Gateway":
        _private_link(transaction, cluster_id, key, gateway_annotations(transaction.get, prefix, body))
    elif kind == "AgentgatewayParameters":
        for gateway, found in _gateways(transaction, prefix, body):
            _private_link(transaction, cluster_id, gateway, gateway_annotations(transaction.get, prefix, found))


def gateway_annotations(get: Get, prefix: str, gateway: Properties) -> Properties:
    """The annotations that a Gateway's Service has."""
    infrastructure = mapped(mapped(gateway, "spec"), "infrastructure")
    named = mapped(infrastructure, "parametersRef")
    own = mapped(infrastructure, "annotations")
    if named.get("kind") != "AgentgatewayParameters":
        return own
    namespace = mapped(gateway, "metadata").get("namespace", "default")
    record = get(f"{prefix}{_PARAMETERS}/{namespace}/{named.get('name')}")
    parameters: Properties = record["object"] if record else {}
    service = mapped(mapped(parameters, "spec"), "service")
    return {**own, **mapped(mapped(service, "metadata"), "annotations")}


def load_balancer_address(get: Get, cluster_id: str, annotations: Mapping[str, Value]) -> str | None:
    """The address of a load balancer with these annotations; None while it can have none.

    A public address that is named must be there, else the cloud provider finds none to take (AKS docs: static-ip).
    Which free address of its subnet an internal one takes is Azure's business: here the last but one.
    """
    wanted = reveal(dict(annotations))
    group = cluster_id.partition("/providers/")[0]
    if wanted.get(f"{_AZURE}load-balancer-internal") == "true":
        cluster = get(cluster_id)
        pools = reveal((cluster or {}).get("inputs", {}).get("agentPoolProfiles") or [{}])
        subnet = get(str(pools[0].get("vnetSubnetID")))
        ranges = reveal(subnet["inputs"]) if subnet else {}
        prefix = ranges.get("addressPrefix") or next(iter(ranges.get("addressPrefixes") or []), None)
        return str(ipaddress.ip_network(prefix)[-2]) if prefix else None
    name = wanted.get(f"{_AZURE}pip-name")
    if name is None:
        # One of the cloud provider's own, in the node resource group.
        octets = hashlib.sha256(cluster_id.lower().encode()).digest()
        return f"20.{octets[0]}.{octets[1]}.{octets[2]}"
    named_group = wanted.get(f"{_AZURE}load-balancer-resource-group")
    scope = f"{group.rpartition('/')[0]}/{named_group}" if named_group else group
    address = get(f"{scope}/providers/Microsoft.Network/publicIPAddresses/{name}")
    return str(address["outputs"]["ipAddress"]) if address else None


def sweep(transaction: Transaction, prefix: str) -> None:
    """Take away the Private Link services of objects below a prefix that are gone."""
    for key in transaction.under(_MADE + prefix.lower()):
        made = transaction.get(key)
        if made is not None and transaction.get(key.removeprefix(_MADE)) is None:
            transaction.delete(made["id"])
            transaction.delete(key)


def _gateways(transaction: Transaction, prefix: str, parameters: Properties) -> Iterator[tuple[str, Properties]]:
    """Gateways that name these parameters, by their keys."""
    metadata = mapped(parameters, "metadata")
    for key in transaction.under(f"{prefix}{_GATEWAYS}".lower()):
        record = transaction.get(key)
        if record is None:
            continue
        gateway = record["object"]
        named = mapped(mapped(mapped(gateway, "spec"), "infrastructure"), "parametersRef")
        if (
            named.get("kind") == "AgentgatewayParameters"
            and named.get("name") == metadata.get("name")
            and mapped(gateway, "metadata").get("namespace") == metadata.get("namespace")
        ):
            yield key, gateway


def _private_link(transaction: Transaction, cluster_id: str, key: str, found: Mapping[str, Value]) -> None:
    annotations = reveal(dict(found))
    if annotations.get(f"{_AZURE}pls-create") != "true":
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

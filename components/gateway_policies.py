"""Network policies of the gateway's namespace: who reaches proxies, and what they reach."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes import core, meta, networking

from components import labels, serving_names
from components.gateway_settings import gateway_settings
from components.in_cluster import ClusterAccess

_PROXIES = serving_names.PROXIES
_SOLVERS = {"acme.cert-manager.io/http01-solver": "true"}
"""Pods that answer an authority's challenge, on port 8089 (cert-manager pkg/issuer/acme/http)."""
_SOLVER_PORT = 8089
_CONTROLLER_PORT = 9978
_METRICS_PORT, _READINESS_PORT = 15020, 15021
"""Of agentgateway's proxies."""
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


def add_policies(parent: pulumi.Resource, name: str, access: ClusterAccess, namespace: core.v1.Namespace) -> None:
    """Refuse what isn't allowed, both ways. Policies do nothing without an engine (`cluster.networkPolicy`)."""
    for policy, spec in _policies().items():
        networking.v1.NetworkPolicy(
            f"{name}-policy-{policy}",
            metadata=meta.v1.ObjectMetaArgs(name=policy, namespace=namespace.metadata.name, labels=labels.MANAGED_BY),
            spec=spec,
            opts=access.child(parent),
        )


def _policies() -> dict[str, networking.v1.NetworkPolicySpecArgs]:
    settings = gateway_settings()
    models = [
        _in(namespace)
        for namespace in (
            serving_names.MODELS_NAMESPACE,
            serving_names.RDMA_NAMESPACE,
            serving_names.KAITO_NAMESPACE,
        )
    ]
    servers = (serving_names.HTTP_PORT, serving_names.KAITO_PORT)
    dns = _to([_in("kube-system", {"k8s-app": "kube-dns"})], 53, udp=True)
    return {
        "default-deny": networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
        ),
        "proxies": networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=_PROXIES),
            policy_types=["Ingress", "Egress"],
            ingress=[
                # From anywhere: the subnet's security group knows who may come.
                networking.v1.NetworkPolicyIngressRuleArgs(ports=_ports(443, 80)),
                networking.v1.NetworkPolicyIngressRuleArgs(
                    from_=[_in("kube-system")], ports=_ports(_METRICS_PORT, _READINESS_PORT)
                ),
            ],
            egress=[
                dns,
                _to(models, *servers, settings.endpoint_picker.port),
                _to([_pods({"app.kubernetes.io/name": "region-health"})], settings.health.port),
                _to([_pods(_SOLVERS)], _SOLVER_PORT),
                _to([_in("agentgateway-system")], _CONTROLLER_PORT),
            ],
        ),
        "health": networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels={"app.kubernetes.io/name": "region-health"}),
            policy_types=["Ingress", "Egress"],
            ingress=[
                networking.v1.NetworkPolicyIngressRuleArgs(from_=[_pods(_PROXIES)], ports=_ports(settings.health.port))
            ],
            egress=[dns, _to(models, *servers)],
        ),
        "challenges": networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=_SOLVERS),
            policy_types=["Ingress"],
            ingress=[networking.v1.NetworkPolicyIngressRuleArgs(from_=[_pods(_PROXIES)], ports=_ports(_SOLVER_PORT))],
        ),
    }


def _in(namespace: str, pods: dict[str, str] | None = None) -> networking.v1.NetworkPolicyPeerArgs:
    return networking.v1.NetworkPolicyPeerArgs(
        namespace_selector=meta.v1.LabelSelectorArgs(match_labels={_NAMESPACE_NAME: namespace}),
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=pods) if pods else None,
    )


def _pods(match: dict[str, str]) -> networking.v1.NetworkPolicyPeerArgs:
    return networking.v1.NetworkPolicyPeerArgs(pod_selector=meta.v1.LabelSelectorArgs(match_labels=match))


def _ports(*numbers: int, udp: bool = False) -> list[networking.v1.NetworkPolicyPortArgs]:
    protocols = ("UDP", "TCP") if udp else ("TCP",)
    return [
        networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=number)
        for number in numbers
        for protocol in protocols
    ]


def _to(
    peers: Sequence[networking.v1.NetworkPolicyPeerArgs], *ports: int, udp: bool = False
) -> networking.v1.NetworkPolicyEgressRuleArgs:
    return networking.v1.NetworkPolicyEgressRuleArgs(to=list(peers), ports=_ports(*ports, udp=udp))

"""The namespaces of a region's model servers: who may be there, and who reaches whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta, networking

from components import labels, serving_names
from components.in_cluster import ClusterAccess

_KUBE_SYSTEM = "kube-system"
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, kw_only=True)
class ModelNamespaceArgs:
    """Arguments of ModelNamespace."""

    access: ClusterAccess
    namespace: str
    """One of `serving_names`."""
    pod_security: str = "restricted"
    """Level that Pod Security enforces."""
    servers_reach_each_other: bool = False
    """Whether the pods of a server, on several nodes, talk to each other."""
    after: Sequence[pulumi.Resource] = ()
    """What must be there before a pod may be, where Pod Security alone allows too much."""


class ModelNamespace(pulumi.ComponentResource):
    """A namespace of model servers with its level of Pod Security and its network policies.

    What isn't allowed is refused, both ways: servers answer the region's gateway, managed Prometheus and the pods of
    their namespace that are no servers (endpoint pickers); they reach DNS, and HTTPS for weights. Who adds other pods
    here brings a policy for them. Policies do nothing without an engine (`cluster.networkPolicy`).
    """

    name: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]
    """What must be there before a server is: namespace and policies."""

    def __init__(self, name: str, args: ModelNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ModelNamespace", name, {}, opts)
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(
                name=args.namespace,
                labels={labels.POD_SECURITY_ENFORCE: args.pod_security, **labels.MANAGED_BY},
            ),
            opts=args.access.child(self, depends_on=args.after),
        )
        self.name = namespace.metadata.name
        policies = [
            networking.v1.NetworkPolicy(
                f"{name}-{policy}",
                metadata=meta.v1.ObjectMetaArgs(name=policy, namespace=self.name, labels=labels.MANAGED_BY),
                spec=spec,
                opts=args.access.child(self),
            )
            for policy, spec in _policies(among_servers=args.servers_reach_each_other).items()
        ]
        self.ready = [namespace, *policies]
        self.register_outputs({})


def _policies(*, among_servers: bool) -> dict[str, networking.v1.NetworkPolicySpecArgs]:
    servers = meta.v1.LabelSelectorArgs(match_expressions=[_expression(serving_names.SERVER, "Exists")])
    found = {
        "default-deny": networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
        ),
        "servers": networking.v1.NetworkPolicySpecArgs(
            pod_selector=servers,
            policy_types=["Ingress", "Egress"],
            ingress=[answered_from(serving_names.HTTP_PORT)],
            egress=pull_egress(),
        ),
    }
    if among_servers:
        peer = networking.v1.NetworkPolicyPeerArgs(pod_selector=servers)
        found["among-servers"] = networking.v1.NetworkPolicySpecArgs(
            pod_selector=servers,
            policy_types=["Ingress", "Egress"],
            ingress=[networking.v1.NetworkPolicyIngressRuleArgs(from_=[peer])],
            egress=[networking.v1.NetworkPolicyEgressRuleArgs(to=[peer])],
        )
    return found


def answered_from(port: int) -> networking.v1.NetworkPolicyIngressRuleArgs:
    """Whom a server answers at its port: the gateway, Prometheus, and pods of its namespace that are no servers."""
    return networking.v1.NetworkPolicyIngressRuleArgs(
        from_=[_namespace(serving_names.GATEWAY_NAMESPACE), _prometheus(), _neighbours()], ports=[_port("TCP", port)]
    )


def pull_egress() -> list[networking.v1.NetworkPolicyEgressRuleArgs]:
    """Where pods go that pull weights: DNS, and the registry, its storage and sign-in.

    These have addresses that change, so any, and HTTPS alone.
    """
    anywhere = networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=[_METADATA_SERVICE])
    return [
        networking.v1.NetworkPolicyEgressRuleArgs(
            to=[_namespace(_KUBE_SYSTEM, {"k8s-app": "kube-dns"})], ports=[_port("UDP", 53), _port("TCP", 53)]
        ),
        networking.v1.NetworkPolicyEgressRuleArgs(
            to=[networking.v1.NetworkPolicyPeerArgs(ip_block=anywhere)], ports=[_port("TCP", 443)]
        ),
    ]


_METADATA_SERVICE = "169.254.169.254/32"
"""Gives tokens of the node's identities to whoever asks (AKS concepts-security, instance metadata)."""


def _namespace(name: str, pods: dict[str, str] | None = None) -> networking.v1.NetworkPolicyPeerArgs:
    return networking.v1.NetworkPolicyPeerArgs(
        namespace_selector=meta.v1.LabelSelectorArgs(match_labels={_NAMESPACE_NAME: name}),
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=pods) if pods else None,
    )


def _prometheus() -> networking.v1.NetworkPolicyPeerArgs:
    """The agents that scrape pods (Azure/prometheus-collector ama-metrics-deployment.yaml: rsName)."""
    return _namespace(_KUBE_SYSTEM, {"rsName": "ama-metrics"})


def _neighbours() -> networking.v1.NetworkPolicyPeerArgs:
    return networking.v1.NetworkPolicyPeerArgs(
        pod_selector=meta.v1.LabelSelectorArgs(match_expressions=[_expression(serving_names.SERVER, "DoesNotExist")])
    )


def _expression(key: str, operator: str) -> meta.v1.LabelSelectorRequirementArgs:
    return meta.v1.LabelSelectorRequirementArgs(key=key, operator=operator)


def _port(protocol: str, port: int) -> networking.v1.NetworkPolicyPortArgs:
    return networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=port)

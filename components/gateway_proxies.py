"""The gateway's proxies: how many, where they run, and the Service that gets the region's address."""

from __future__ import annotations

import pulumi

from components import serving_names
from components.gateway_settings import gateway_settings
from components.in_cluster import controller_tolerations
from gpufleet.spec.gateway import Gateway

_AZURE = "service.beta.kubernetes.io/azure-"
_SHUTDOWN_MARGIN_SECONDS = 30
SYSTEM_SUBNET = "snet-system"
"""Name of the subnet that a Private Link service takes its address from (RegionNetwork)."""


def parameters_spec(
    gateway: Gateway, *, longest_stream_seconds: int, annotations: dict[str, pulumi.Input[str]]
) -> dict[str, object]:
    """AgentgatewayParameters: a proxy that goes waits for the longest answer that it carries."""
    settings = gateway_settings().proxy
    return {
        "logging": {"format": "json"},
        "resources": {
            "requests": {"cpu": settings.cpu, "memory": settings.memory},
            "limits": {"memory": settings.memory},
        },
        "shutdown": {"min": 10, "max": longest_stream_seconds + _SHUTDOWN_MARGIN_SECONDS},
        "deployment": {
            "spec": {
                "template": {
                    "spec": {
                        "priorityClassName": "system-cluster-critical",
                        "tolerations": controller_tolerations(),
                        # The one thing that Pod Security `restricted` misses in what the controller makes.
                        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                        "topologySpreadConstraints": [
                            {
                                "maxSkew": 1,
                                "topologyKey": key,
                                "whenUnsatisfiable": "ScheduleAnyway",
                                "labelSelector": {"matchLabels": serving_names.PROXIES},
                            }
                            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
                        ],
                    }
                }
            }
        },
        "podDisruptionBudget": {"spec": {"maxUnavailable": 1}},
        "horizontalPodAutoscaler": {
            "spec": {
                "minReplicas": gateway.min_replicas,
                "maxReplicas": gateway.max_replicas,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": settings.cpu_utilization_percent},
                        },
                    }
                ],
            }
        },
        "service": {
            "metadata": {"annotations": annotations},
            # A node without a proxy gets no requests, and callers' addresses stay what they are.
            "spec": {"externalTrafficPolicy": "Local"},
        },
    }


def public_annotations(
    address_name: pulumi.Input[str], resource_group_name: pulumi.Input[str]
) -> dict[str, pulumi.Input[str]]:
    """The region's own address, which is not in AKS's resource group (AKS static-ip)."""
    return {
        f"{_AZURE}pip-name": address_name,
        f"{_AZURE}load-balancer-resource-group": resource_group_name,
        **_idle_timeout(),
    }


def private_annotations(service_name: str, resource_group_name: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """An internal load balancer, and a Private Link service in front of it (cloud-provider-azure: pls-integration).

    Visible to all, for Front Door's endpoint is in a subscription of Microsoft's; each connection waits for approval.
    """
    return {
        f"{_AZURE}load-balancer-internal": "true",
        f"{_AZURE}pls-create": "true",
        f"{_AZURE}pls-name": service_name,
        f"{_AZURE}pls-resource-group": resource_group_name,
        f"{_AZURE}pls-ip-configuration-subnet": SYSTEM_SUBNET,
        f"{_AZURE}pls-visibility": "*",
        **_idle_timeout(),
    }


def _idle_timeout() -> dict[str, pulumi.Input[str]]:
    # Minutes. A model may think longer than the default of four before its first token (AKS load-balancer-standard).
    return {f"{_AZURE}load-balancer-tcp-idle-timeout": "30"}

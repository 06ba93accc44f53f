"""The certificate of a region's gateway, from an authority that issues by ACME."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from components import labels, serving_names
from components.amd_gpu import cert_manager_values
from components.gateway_routes import ACME
from components.in_cluster import ClusterAccess, controller_tolerations, release
from components.operators import chart
from gpufleet.spec.gateway import Acme

SECRET = "gateway-tls"  # noqa: S105 - its name
_ISSUER = "acme"
_API = "cert-manager.io/v1"


@dataclass(frozen=True, kw_only=True)
class GatewayCertificateArgs:
    """Arguments of GatewayCertificate."""

    access: ClusterAccess
    namespace: core.v1.Namespace
    """The gateway's."""
    acme: Acme
    host_name: pulumi.Input[str]
    """DNS name that the certificate is for; it leads to the gateway."""
    definitions: Sequence[pulumi.Resource]
    """What defines the kinds of the Gateway API: cert-manager doesn't start without them."""


class GatewayCertificate(pulumi.ComponentResource):
    """cert-manager, an issuer, and the certificate, which is renewed by itself; its key never leaves the cluster.

    HTTP-01 challenges come to port 80 of the gateway, from addresses that an authority doesn't tell (Let's Encrypt
    FAQ); nothing else is answered there. Until the first certificate is issued, Front Door finds the region unhealthy.
    """

    secret_name: str

    def __init__(self, name: str, args: GatewayCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:GatewayCertificate", name, {}, opts)
        access, namespace = args.access, args.namespace.metadata.name
        own = core.v1.Namespace(
            f"{name}-cert-manager-namespace",
            metadata=meta.v1.ObjectMetaArgs(name="cert-manager", labels={labels.POD_SECURITY_ENFORCE: "restricted"}),
            opts=access.child(self),
        )
        manager = release(
            f"{name}-cert-manager",
            chart("certManager"),
            own,
            values={
                **cert_manager_values(),
                "config": {
                    "apiVersion": "controller.config.cert-manager.io/v1alpha1",
                    "kind": "ControllerConfiguration",
                    "enableGatewayAPI": True,
                },
            },
            # Its webhook answers for issuers and certificates, and its pods run on the system pool.
            skip_await=False,
            opts=access.child(self, depends_on=args.definitions),
        )
        issuer = apiextensions.CustomResource(
            f"{name}-issuer",
            api_version=_API,
            kind="Issuer",
            metadata=meta.v1.ObjectMetaArgs(name=_ISSUER, namespace=namespace, labels=labels.MANAGED_BY),
            spec=issuer_spec(args.acme),
            opts=access.child(self, depends_on=[manager]),
        )
        apiextensions.CustomResource(
            f"{name}-certificate",
            api_version=_API,
            kind="Certificate",
            metadata=meta.v1.ObjectMetaArgs(name=SECRET, namespace=namespace, labels=labels.MANAGED_BY),
            spec=certificate_spec(args.host_name),
            opts=access.child(self, depends_on=[issuer]),
        )
        self.secret_name = SECRET
        self.register_outputs({})


def issuer_spec(acme: Acme) -> dict[str, object]:
    """An account with the authority, and how it is shown that the name is ours."""
    return {
        "acme": {
            "server": acme.server,
            **({"email": acme.email} if acme.email else {}),
            "privateKeySecretRef": {"name": "acme-account"},
            "solvers": [
                {
                    "http01": {
                        "gatewayHTTPRoute": {
                            "parentRefs": [
                                {
                                    "group": "gateway.networking.k8s.io",
                                    "kind": "Gateway",
                                    "name": serving_names.GATEWAY,
                                    "sectionName": ACME,
                                }
                            ],
                            "podTemplate": {"spec": {"tolerations": controller_tolerations()}},
                        }
                    }
                }
            ],
        }
    }


def certificate_spec(host_name: pulumi.Input[str]) -> dict[str, object]:
    """RSA, which every client of a gateway takes; a new key with each renewal."""
    return {
        "secretName": SECRET,
        "dnsNames": [host_name],
        "issuerRef": {"name": _ISSUER, "kind": "Issuer", "group": "cert-manager.io"},
        "privateKey": {"algorithm": "RSA", "size": 2048, "rotationPolicy": "Always"},
    }

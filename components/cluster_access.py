"""Access to a cluster's API server: a kubeconfig out of fields that stay the same while the cluster lives."""

from __future__ import annotations

import base64
import json

import yaml

from components.context import KubeLogin

AKS_SERVER_APPLICATION_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Entra application of every AKS API server, the same in all tenants (Azure/kubelogin README)."""


class KubeconfigError(ValueError):
    """AKS answered with a kubeconfig that has no cluster in it."""


def certificate_authority(kubeconfig_base64: str) -> str:
    """The certificate authority, base64, out of the kubeconfig that listManagedClusterUserCredentials returns."""
    try:
        document = yaml.safe_load(base64.b64decode(kubeconfig_base64, validate=True))
        return str(document["clusters"][0]["cluster"]["certificate-authority-data"])
    except (ValueError, KeyError, IndexError, TypeError, yaml.YAMLError):
        # The cause is not chained on purpose: its text could hold parts of the credential.
        raise KubeconfigError("AKS returned user credentials without a cluster's certificate authority") from None


def kubeconfig(*, cluster: str, fqdn: str, certificate_authority_data: str, login: KubeLogin) -> str:
    """A kubeconfig that asks kubelogin for a token: no credential in it, nothing that changes from run to run.

    It is JSON, which is YAML.     Never the admin credential: local accounts are off. Never the text AKS returns: it
    asks for a device login, which no CI can answer (pulumi-azure-native#2579).
    """
    arguments = ["get-token", "--login", login.value, "--server-id", AKS_SERVER_APPLICATION_ID]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": f"https://{fqdn}:443",
                    "certificate-authority-data": certificate_authority_data,
                },
            }
        ],
        "users": [
            {
                "name": cluster,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "kubelogin",
                        "args": arguments,
                        "interactiveMode": "Never",
                        "provideClusterInfo": False,
                        "installHint": "kubelogin is not installed: https://azure.github.io/kubelogin/install.html",
                    }
                },
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }
    return json.dumps(document, separators=(",", ":"))

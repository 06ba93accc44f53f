"""What AKS hands out to reach a cluster: kubeconfigs for users and for the local administrator."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.aks_rules import CLUSTER_TYPE
from sandbox.azure.model import Context
from sandbox.errors import ArmError
from sandbox.values import Properties, Secret

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

# The Entra applications of AKS's own sign-in: the same in every tenant (AKS docs: kubelogin-authentication).
_AKS_SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
_KUBELOGIN_CLIENT = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"


def kubeconfig(context: Context, outputs: Properties, *, user: str) -> str:
    """The kubeconfig (JSON, which is YAML) that AKS hands out; Entra sign-in runs kubelogin as exec plugin."""
    cluster = context.name
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": [
            "get-token",
            "--environment",
            "AzurePublicCloud",
            "--server-id",
            _AKS_SERVER_APPLICATION,
            "--client-id",
            _KUBELOGIN_CLIENT,
            "--tenant-id",
            context.tenant,
            "--login",
            "devicecode",
        ],
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": False,
    }
    certificate = f"-----BEGIN CERTIFICATE-----\n{context.secret_bytes('ca', 480)}\n-----END CERTIFICATE-----\n"
    authority = base64.b64encode(certificate.encode()).decode()
    login = f"{user}_{arm.resource_group_of(context.id)}_{cluster}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {"certificate-authority-data": authority, "server": f"https://{outputs['fqdn']}:443"},
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": login}}],
        "current-context": cluster,
        "preferences": {},
        "users": [
            {
                "name": login,
                "user": {"exec": command} if outputs.get("aadProfile") else {"token": context.token("token", 64)},
            }
        ],
    }
    return json.dumps(config, indent=1)


def _credentials(manager: ResourceManager, arguments: Properties, *, name: str) -> Properties:
    cluster = manager.require(manager.id_of(registry.by_token(CLUSTER_TYPE), arguments))
    text = kubeconfig(manager.context_of(cluster), cluster.outputs, user=name)
    return {"kubeconfigs": Secret([{"name": name, "value": base64.b64encode(text.encode()).decode()}])}


def user_credentials(manager: ResourceManager, arguments: Properties) -> Properties:
    """Credentials for whoever signs in: ``listManagedClusterUserCredentials``."""
    return _credentials(manager, arguments, name="clusterUser")


def admin_credentials(manager: ResourceManager, arguments: Properties) -> Properties:
    """Credentials of the local administrator: ``listManagedClusterAdminCredentials``.

    Raises:
        ArmError: local accounts are disabled.
    """
    cluster = manager.require(manager.id_of(registry.by_token(CLUSTER_TYPE), arguments))
    if cluster.outputs.get("disableLocalAccounts"):
        text = "Getting static credential is not allowed because this cluster is set to disable local accounts."
        raise ArmError(400, "BadRequest", text)
    return _credentials(manager, arguments, name="clusterAdmin")

"""Microsoft.ContainerRegistry: registries and their replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError
from sandbox.values import Properties, Secret

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

_REGISTRY = RESOURCE_GROUP + "/providers/Microsoft.ContainerRegistry/registries/{registryName}"
_NAME = NameRule(pattern=r"[A-Za-z0-9]{5,50}", text="5 to 50 letters or digits")


def _registry(context: Context) -> Properties:
    sku = context.inputs.get("sku", {}).get("name")
    return {
        "creationDate": context.created,
        "loginServer": f"{context.name.lower()}.azurecr.io",
        "sku": {"name": sku, "tier": sku},
        "dataEndpointHostNames": [],
        "privateEndpointConnections": [],
    }


def _needs_premium(context: Context) -> None:
    registry = context.find(arm.parent_of(context.id)) or {}
    sku = registry.get("sku", {}).get("name")
    if sku != "Premium":
        text = f"The resource type 'replications' is not supported for the registry SKU '{sku}': it needs Premium."
        raise ArmError(400, "FeatureNotSupportedForSku", text)
    if registry.get("location") == context.location:
        text = f"The registry's home region '{context.location}' has a replica already."
        raise ArmError(409, "ReplicationAlreadyExists", text)


def _credentials(manager: ResourceManager, arguments: Properties) -> Properties:
    registry = manager.require(manager.id_of(TYPES[0], arguments))
    if not registry.outputs.get("adminUserEnabled"):
        text = "The admin user is disabled for this registry."
        raise ArmError(400, "AdminUserDisabled", text)
    context = manager.context_of(registry)
    passwords = [{"name": name, "value": context.secret_bytes(name, 36)} for name in ("password", "password2")]
    return {"username": context.name, "passwords": Secret(passwords)}


TYPES = (
    ResourceType(
        pulumi_type="azure-native:containerregistry:Registry",
        path=_REGISTRY,
        names={"registryName": _NAME},
        replace_on=("location",),
        defaults={
            "adminUserEnabled": False,
            "anonymousPullEnabled": False,
            "dataEndpointEnabled": False,
            "networkRuleBypassOptions": "AzureServices",
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
        },
        outputs=_registry,
    ),
    ResourceType(
        pulumi_type="azure-native:containerregistry:Replication",
        path=_REGISTRY + "/replications/{replicationName}",
        names={
            "registryName": _NAME,
            "replicationName": NameRule(pattern=r"[A-Za-z0-9]{5,50}", text="5 to 50 letters or digits"),
        },
        replace_on=("location", "zoneRedundancy"),
        defaults={"regionEndpointEnabled": True, "zoneRedundancy": "Disabled"},
        validate=_needs_premium,
        outputs=lambda context: {"status": {"displayStatus": "Ready", "message": "", "timestamp": context.created}},
    ),
)

INVOKES = {"azure-native:containerregistry:listRegistryCredentials": _credentials}

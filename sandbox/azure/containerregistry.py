"""Microsoft.ContainerRegistry: registries and their replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure.checks import get, needs
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, normalise_location
from sandbox.errors import ArmError
from sandbox.values import UNKNOWN, Properties, Secret

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

_REGISTRY = RESOURCE_GROUP + "/providers/Microsoft.ContainerRegistry/registries/{registryName}"
_TYPE = "azure-native:containerregistry:Registry"
_NAME = NameRule(pattern=r"[A-Za-z0-9]{5,50}", text="5 to 50 letters or digits")


def _registry(context: Context) -> Properties:
    sku = context.inputs.get("sku", {}).get("name")
    return {
        "creationDate": context.created,
        "loginServer": f"{context.name.lower()}.azurecr.io",
        "sku": {"name": sku, "tier": sku},
        "dataEndpointHostNames": _data_endpoints(context),
        "privateEndpointConnections": [],
    }


def _data_endpoints(context: Context) -> list[str]:
    """One host a region with a copy (Azure docs: container-registry-dedicated-data-endpoints)."""
    if context.inputs.get("dataEndpointEnabled") is not True:
        return []
    replicas = [str(one.get("location", "")) for one in context.below(f"{context.id}/replications/")]
    places = dict.fromkeys([context.location, *map(normalise_location, replicas)])
    return [f"{context.name.lower()}.{place}.data.azurecr.io" for place in places]


def _needs_premium(context: Context) -> None:
    registry = context.find(arm.parent_of(context.id)) or {}
    sku = registry.get("sku", {}).get("name")
    if sku != "Premium":
        text = f"The resource type 'replications' is not supported for the registry SKU '{sku}': it needs Premium."
        raise ArmError(400, "FeatureNotSupportedForSku", text)
    if registry.get("location") == context.location:
        text = f"The location '{context.location}' is the registry's home region, which has a replica already."
        raise ArmError(409, "ReplicationAlreadyExists", text)


def _premium(inputs: Properties) -> bool:
    return get(inputs, "sku.name") in {"Premium", UNKNOWN}


def _name_is_free(context: Context) -> None:
    """A registry's name is its host name, so unique over all of Azure."""
    for other in context.of_type(_TYPE):
        if arm.name_of(other["id"]).lower() == context.name.lower():
            text = f"The registry DNS name {context.name.lower()}.azurecr.io is already in use."
            raise ArmError(409, "AlreadyInUse", text)


def _replicas_keep_premium(context: Context) -> None:
    """A registry with replicas stays Premium (Azure docs: container-registry-skus, "Changing tiers")."""
    replicas = context.below(f"{context.id}/replications/")
    sku = get(context.inputs, "sku.name")
    if context.previous is not None and replicas and sku != "Premium":
        text = f"The registry SKU cannot be changed to '{sku}' while it has geo-replications: delete these first."
        raise ArmError(409, "SkuChangeNotAllowed", text)


def _one_replica_a_region(context: Context) -> None:
    for other in context.below(f"{arm.parent_of(context.id)}/replications/"):
        same = normalise_location(str(other.get("location", ""))) == context.location
        if same and other["name"].lower() != context.name.lower():
            text = f"A replication already exists in location '{context.location}': {other['name']}."
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
        pulumi_type=_TYPE,
        path=_REGISTRY,
        names={"registryName": _NAME},
        replace_on=("location",),
        immutable=("zoneRedundancy",),
        checks=(
            *(
                needs(path, _premium, "needs the registry SKU 'Premium'", "Azure docs: container-registry-skus")
                for path in ("dataEndpointEnabled", "encryption", "networkRuleSet", "policies.retentionPolicy")
            ),
            needs(
                "zoneRedundancy",
                lambda inputs: _premium(inputs) or get(inputs, "zoneRedundancy") == "Disabled",
                "'Enabled' needs the registry SKU 'Premium'",
                "Azure docs: zone-redundancy",
            ),
            needs(
                "publicNetworkAccess",
                lambda inputs: _premium(inputs) or get(inputs, "publicNetworkAccess") == "Enabled",
                "'Disabled' needs the registry SKU 'Premium'",
                "Azure docs: container-registry-skus",
            ),
        ),
        rules=(_name_is_free, _replicas_keep_premium),
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
        replace_on=("location",),
        # An update takes regionEndpointEnabled only (containerregistry API specification, ReplicationUpdateParameters).
        immutable=("zoneRedundancy",),
        defaults={"regionEndpointEnabled": True, "zoneRedundancy": "Disabled"},
        rules=(_needs_premium, _one_replica_a_region),
        outputs=lambda context: {"status": {"displayStatus": "Ready", "message": "", "timestamp": context.created}},
    ),
)

INVOKES = {"azure-native:containerregistry:listRegistryCredentials": _credentials}

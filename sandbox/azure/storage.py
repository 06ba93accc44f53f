"""Microsoft.Storage: storage accounts and blob containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.values import Properties, Secret

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

_ACCOUNT = RESOURCE_GROUP + "/providers/Microsoft.Storage/storageAccounts/{accountName}"
_NAME = NameRule(pattern=r"[a-z0-9]{3,24}", text="3 to 24 lower-case letters or digits")


def _account(context: Context) -> Properties:
    services = {"blob": "blob", "dfs": "dfs", "file": "file", "queue": "queue", "table": "table", "web": "z13.web"}
    outputs: Properties = {
        "primaryEndpoints": {
            name: f"https://{context.name}.{host}.core.windows.net/" for name, host in services.items()
        },
        "primaryLocation": context.location,
        "statusOfPrimary": "available",
        "creationTime": context.created,
        "keyCreationTime": {"key1": context.created, "key2": context.created},
        "privateEndpointConnections": [],
    }
    sku = context.inputs.get("sku", {})
    if isinstance(sku, dict) and isinstance(sku.get("name"), str):
        outputs["sku"] = {**sku, "tier": sku["name"].partition("_")[0]}
    return outputs


def _container(context: Context) -> Properties:
    return {
        "deleted": False,
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
        "lastModifiedTime": context.created,
        "leaseState": "Available",
        "leaseStatus": "Unlocked",
        "remainingRetentionDays": 0,
    }


def _keys(manager: ResourceManager, arguments: Properties) -> Properties:
    account = manager.require(manager.id_of(TYPES[0], arguments))
    context = manager.context_of(account)
    keys = [
        {
            "keyName": name,
            "value": context.secret_bytes(name, 64),
            "permissions": "FULL",
            "creationTime": context.created,
        }
        for name in ("key1", "key2")
    ]
    return {"keys": Secret(keys)}


TYPES = (
    ResourceType(
        pulumi_type="azure-native:storage:StorageAccount",
        path=_ACCOUNT,
        names={"accountName": _NAME},
        replace_on=("isHnsEnabled", "location"),
        # NFSv3 cannot be turned on or off on an existing account (AKS docs: create-volume-azure-blob-storage).
        immutable=("enableNfsV3", "kind"),
        defaults={
            "accessTier": "Hot",
            "allowBlobPublicAccess": False,
            "allowSharedKeyAccess": True,
            "enableHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_0",
            "publicNetworkAccess": "Enabled",
            "networkRuleSet": {
                "bypass": "AzureServices",
                "defaultAction": "Allow",
                "ipRules": [],
                "virtualNetworkRules": [],
            },
        },
        outputs=_account,
    ),
    ResourceType(
        pulumi_type="azure-native:storage:BlobContainer",
        path=_ACCOUNT + "/blobServices/default/containers/{containerName}",
        names={
            "containerName": NameRule(
                pattern=r"\$root|\$web|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*",
                text="3 to 63 lower-case letters, digits or single '-', starting and ending with a letter or digit",
            )
        },
        defaults={
            "publicAccess": "None",
            "defaultEncryptionScope": "$account-encryption-key",
            "denyEncryptionScopeOverride": False,
        },
        outputs=_container,
    ),
)

INVOKES = {"azure-native:storage:listStorageAccountKeys": _keys}

"""Microsoft.Storage: storage accounts and blob containers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure.checks import at_most, get, matches
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, Secret, reveal

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

_ACCOUNT = RESOURCE_GROUP + "/providers/Microsoft.Storage/storageAccounts/{accountName}"
_TYPE = "azure-native:storage:StorageAccount"
_NAME = NameRule(pattern=r"[a-z0-9]{3,24}", text="3 to 24 lower-case letters or digits")


# Which redundancy goes with which kind: Azure docs, storage-account-overview.
_PREMIUM_KINDS = ("BlockBlobStorage", "FileStorage")
_STANDARD_V2 = ("Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS")


def _kind_and_sku(inputs: Properties) -> Iterable[Failure]:
    """The kind has the redundancy."""
    kind, sku = reveal(inputs.get("kind")), get(inputs, "sku.name")
    if not isinstance(kind, str) or not isinstance(sku, str):
        return
    allowed = {
        "StorageV2": (*_STANDARD_V2, "Premium_LRS", "Premium_ZRS"),
        "BlockBlobStorage": ("Premium_LRS", "Premium_ZRS"),
        "FileStorage": ("Premium_LRS", "Premium_ZRS"),
        "BlobStorage": ("Standard_LRS", "Standard_GRS", "Standard_RAGRS"),
        "Storage": ("Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Premium_LRS"),
    }.get(kind)
    if allowed is not None and sku not in allowed and not sku.startswith(("StandardV2_", "PremiumV2_")):
        yield Failure("sku.name", f"a '{kind}' account cannot have SKU '{sku}': {', '.join(allowed)}")


def _access_tier(inputs: Properties) -> Iterable[Failure]:
    """A premium account has no tier to choose; a BlobStorage account must choose (Azure docs: access-tiers)."""
    kind, tier = reveal(inputs.get("kind")), reveal(inputs.get("accessTier"))
    if kind in _PREMIUM_KINDS and tier not in {None, UNKNOWN, "Premium"}:
        yield Failure("accessTier", f"a '{kind}' account has accessTier 'Premium' or none, not '{tier}'")
    if kind == "BlobStorage" and tier is None:
        yield Failure("accessTier", "a 'BlobStorage' account needs an 'accessTier'")


def _nfs(inputs: Properties) -> Iterable[Failure]:
    """NFS needs a hierarchical namespace and closed networks (Azure docs: network-file-system-protocol-support)."""
    if reveal(inputs.get("enableNfsV3")) is not True:
        return
    if reveal(inputs.get("isHnsEnabled")) not in {True, UNKNOWN}:
        yield Failure("enableNfsV3", "NFS 3.0 needs 'isHnsEnabled' true")
    if get(inputs, "networkRuleSet.defaultAction") not in {"Deny", UNKNOWN}:
        yield Failure("networkRuleSet.defaultAction", "NFS 3.0 needs networkRuleSet.defaultAction 'Deny'")


def _rule_set(inputs: Properties) -> Iterable[Failure]:
    """A rule set says what happens to everybody else (storage API specification)."""
    if isinstance(reveal(inputs.get("networkRuleSet")), dict) and get(inputs, "networkRuleSet.defaultAction") is None:
        yield Failure("networkRuleSet.defaultAction", "missing required property 'networkRuleSet.defaultAction'")


def _hierarchy(inputs: Properties) -> Iterable[Failure]:
    """A hierarchical namespace is for blobs."""
    if reveal(inputs.get("isHnsEnabled")) is True and reveal(inputs.get("kind")) in {
        "FileStorage",
        "Storage",
        "BlobStorage",
    }:
        yield Failure("isHnsEnabled", "a hierarchical namespace needs kind 'StorageV2' or 'BlockBlobStorage'")


def _sftp(inputs: Properties) -> Iterable[Failure]:
    """SFTP needs a hierarchical namespace."""
    if reveal(inputs.get("isSftpEnabled")) is True and reveal(inputs.get("isHnsEnabled")) not in {True, UNKNOWN}:
        yield Failure("isSftpEnabled", "SFTP needs 'isHnsEnabled' true")


def _name_is_free(context: Context) -> None:
    """An account's name is its host name, so unique over all of Azure."""
    for other in context.of_type(_TYPE):
        if arm.name_of(other["id"]).lower() == context.name.lower():
            text = f"The storage account named {context.name} is already taken."
            raise ArmError(409, "StorageAccountAlreadyTaken", text)


# What an account may be turned into (Azure docs: storage-account-upgrade, redundancy-migration).
def _sku_change(context: Context) -> None:
    """Standard and Premium never become each other; zone redundancy is changed by a request of its own."""
    if context.previous is None:
        return
    old, new = (str(get(inputs, "sku.name")) for inputs in (context.previous, context.inputs))
    if old.partition("_")[0] != new.partition("_")[0] or ("ZRS" in old) != ("ZRS" in new):
        text = f"Storage account {context.name} cannot be changed from {old} to {new}."
        raise ArmError(409, "AccountTypeConversionNotAllowed", text)


def _public_access(context: Context) -> None:
    """A container is public only where its account allows that (Azure docs: anonymous-read-access-prevent)."""
    account = context.find(context.id.partition("/blobServices/")[0]) or {}
    if context.inputs.get("publicAccess") not in {None, "None"} and not account.get("allowBlobPublicAccess"):
        raise ArmError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")


def _nothing_immutable(context: Context) -> None:
    """A container under a legal hold or with version-level immutability stays."""
    container = context.find(context.id) or {}
    if container.get("hasLegalHold") or get(container, "immutableStorageWithVersioning.enabled") is True:
        text = f"The container '{context.name}' has an immutability policy or a legal hold and cannot be deleted."
        raise ArmError(409, "ContainerProtectedFromDeletion", text)


def _fixed(_: str, path: str) -> ArmError:
    return ArmError(
        409,
        "AccountPropertyCannotBeUpdated",
        f"The property '{path}' was specified in the input, but it cannot be updated.",
    )


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
        pulumi_type=_TYPE,
        path=_ACCOUNT,
        names={"accountName": _NAME},
        replace_on=("isHnsEnabled", "location"),
        # NFSv3 cannot be turned on or off on an existing account (AKS docs: create-volume-azure-blob-storage).
        immutable=("enableNfsV3", "kind"),
        change_refused=_fixed,
        checks=(
            _kind_and_sku,
            _access_tier,
            _nfs,
            _rule_set,
            _hierarchy,
            _sftp,
            at_most("networkRuleSet.ipRules", 400, "Azure docs: storage-network-security"),
            at_most("networkRuleSet.virtualNetworkRules", 400, "Azure docs: storage-network-security"),
            matches(
                "networkRuleSet.ipRules[].iPAddressOrRange",
                r"(\d{1,3}\.){3}\d{1,3}(/([0-9]|[12]\d|30))?",
                "an IPv4 address or network of at most a /30",
                "Azure docs: storage-network-security",
            ),
            matches(
                "sasPolicy.sasExpirationPeriod",
                r"\d+\.\d{2}:\d{2}:\d{2}",
                "of the form DD.HH:MM:SS",
                "storage API specification 2024-01-01",
            ),
        ),
        rules=(_name_is_free, _sku_change),
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
        rules=(_public_access,),
        delete_rules=(_nothing_immutable,),
        outputs=_container,
    ),
)

INVOKES = {"azure-native:storage:listStorageAccountKeys": _keys}

"""Microsoft.Storage: storage accounts, blob containers and what is set for them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure.checks import at_most, get, in_range, matches, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, Secret, reveal

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

_ACCOUNT = RESOURCE_GROUP + "/providers/Microsoft.Storage/storageAccounts/{accountName}"
_CONTAINER = _ACCOUNT + "/blobServices/default/containers/{containerName}"
_TYPE = "azure-native:storage:StorageAccount"
_NAME = NameRule(pattern=r"[a-z0-9]{3,24}", text="3 to 24 lower-case letters or digits")
_SPEC = "storage API specification 2024-01-01"
_DEFAULT = NameRule(pattern="default", text="'default'", source=_SPEC)


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
    if reveal(inputs.get("enableHttpsTrafficOnly")) not in {False, UNKNOWN}:
        yield Failure("enableHttpsTrafficOnly", "NFS 3.0 is not encrypted: it needs 'enableHttpsTrafficOnly' false")
    sku = get(inputs, "sku.name")
    if isinstance(sku, str) and not sku.endswith(("_LRS", "_ZRS")):
        yield Failure("sku.name", f"NFS 3.0 needs LRS or ZRS, not '{sku}'")


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


def _container_id(context: Context) -> str:
    return context.id.partition("/immutabilityPolicies/")[0]


def _policy_of(context: Context, container: str) -> Properties | None:
    return context.find(f"{container}/immutabilityPolicies/default")


def _no_policy(context: Context) -> None:
    """A container with an immutability policy is deleted when it is empty; what is in it, the sandbox doesn't know."""
    if (_policy_of(context, context.id) or {}).get("state") == "Locked":
        text = f"The container '{context.name}' has a locked immutability policy and cannot be deleted."
        raise ArmError(409, "ContainerProtectedFromDeletion", text)


def _immutability_is_supported(context: Context) -> None:
    """None in accounts with NFS (Azure docs: storage-feature-support-in-storage-accounts)."""
    account = context.find(context.id.partition("/blobServices/")[0]) or {}
    if account.get("enableNfsV3") is True:
        text = "Immutability policies are not supported on accounts with NFS 3.0 enabled."
        raise ArmError(409, "FeatureNotSupportedForAccount", text)


def _append_writes(inputs: Properties) -> Iterable[Failure]:
    """The two ways to append exclude each other (storage API specification)."""
    one, all_ = (reveal(inputs.get(f"allowProtectedAppendWrites{suffix}")) for suffix in ("", "All"))
    if one is True and all_ is True:
        yield Failure(
            "allowProtectedAppendWritesAll", "'allowProtectedAppendWrites' is set too: only one of both may be"
        )


def _rule_names(inputs: Properties) -> Iterable[Failure]:
    """Rules have names of their own (Azure docs: lifecycle-management-overview)."""
    seen: set[str] = set()
    for where, name in values(inputs, "policy.rules[].name"):
        if isinstance(name, str) and name in seen:
            yield Failure(where, f"the rule name '{name}' stands twice")
        if isinstance(name, str):
            seen.add(name)


def _rule_actions(inputs: Properties) -> Iterable[Failure]:
    """A rule does something, and its steps follow each other (Azure docs: lifecycle-management-policy-structure)."""
    for where, actions in values(inputs, "policy.rules[].definition.actions"):
        if not isinstance(actions, dict):
            continue
        if not any(reveal(action) for action in actions.values()):
            yield Failure(where, "a rule needs an action")
        base = reveal(actions.get("baseBlob"))
        days = [
            (step, age)
            for step in ("tierToCool", "tierToCold", "tierToArchive", "delete")
            if isinstance(base, dict)
            and isinstance(age := get(base, f"{step}.daysAfterModificationGreaterThan"), int | float)
        ]
        for (before, earlier), (step, later) in itertools.pairwise(days):
            if earlier >= later:
                yield Failure(f"{where}.baseBlob.{step}", f"'{step}' after {later:g} days is not after '{before}'")


def _filters(inputs: Properties) -> Iterable[Failure]:
    """Prefixes start with a container's name, ten a rule; append blobs are only ever deleted (same page)."""
    for where, filters in values(inputs, "policy.rules[].definition.filters"):
        prefixes = reveal(filters.get("prefixMatch")) if isinstance(filters, dict) else None
        if isinstance(prefixes, list) and len(prefixes) > 10:
            yield Failure(f"{where}.prefixMatch", f"at most 10 prefixes, here are {len(prefixes)}")
        for index, prefix in enumerate(prefixes if isinstance(prefixes, list) else ()):
            container = prefix.partition("/")[0] if isinstance(prefix, str) else "abc"
            if not re.fullmatch(r"\$root|\$web|[a-z0-9][a-z0-9-]{0,62}", container):
                yield Failure(f"{where}.prefixMatch[{index}]", f"'{prefix}' does not start with a container's name")


def _tiers_are_there(context: Context) -> None:
    """A premium account has no tiers to move to (Azure docs: storage-feature-support-in-storage-accounts)."""
    account = context.find(context.id.partition("/managementPolicies/")[0]) or {}
    moves = [
        where
        for step in ("tierToCool", "tierToCold", "tierToArchive")
        for where, action in values(context.inputs, f"policy.rules[].definition.actions.baseBlob.{step}")
        if action
    ]
    if account.get("kind") in _PREMIUM_KINDS and moves:
        text = f"Tiering is not supported on account {arm.name_of(str(account.get('id')))}: {moves[0]}."
        raise ArmError(409, "FeatureNotSupportedForAccount", text)


def _retention(inputs: Properties) -> Iterable[Failure]:
    """Soft delete keeps for 1 to 365 days (storage API specification)."""
    for name in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        if get(inputs, f"{name}.enabled") is True and get(inputs, f"{name}.days") is None:
            yield Failure(f"{name}.days", f"'{name}' is enabled and says no days")
    if get(inputs, "restorePolicy.enabled") is True and get(inputs, "isVersioningEnabled") is not True:
        yield Failure("restorePolicy", "a point-in-time restore needs 'isVersioningEnabled'")


def _versions_are_there(context: Context) -> None:
    """No versions with a hierarchical namespace (Azure docs: storage-feature-support-in-storage-accounts)."""
    account = context.find(context.id.partition("/blobServices/")[0]) or {}
    if context.inputs.get("isVersioningEnabled") is True and account.get("isHnsEnabled") is True:
        text = "Blob versioning is not supported on accounts with a hierarchical namespace."
        raise ArmError(409, "FeatureNotSupportedForAccount", text)


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
        path=_CONTAINER,
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
        delete_rules=(_nothing_immutable, _no_policy),
        outputs=_container,
    ),
    ResourceType(
        pulumi_type="azure-native:storage:BlobContainerImmutabilityPolicy",
        path=_CONTAINER + "/immutabilityPolicies/{immutabilityPolicyName}",
        names={"immutabilityPolicyName": _DEFAULT},
        checks=(
            in_range("immutabilityPeriodSinceCreationInDays", 1, 146_000, _SPEC),
            _append_writes,
        ),
        rules=(_immutability_is_supported,),
        defaults={"allowProtectedAppendWrites": False, "allowProtectedAppendWritesAll": False},
        outputs=lambda context: {"state": "Unlocked", "etag": f'"{context.token("etag", 16)}"'},
    ),
    ResourceType(
        pulumi_type="azure-native:storage:ManagementPolicy",
        path=_ACCOUNT + "/managementPolicies/{managementPolicyName}",
        names={"managementPolicyName": _DEFAULT},
        checks=(
            _rule_names,
            _rule_actions,
            _filters,
            at_most("policy.rules", 100, "Azure docs: lifecycle-management-overview"),
        ),
        rules=(_tiers_are_there,),
        outputs=lambda context: {"lastModifiedTime": context.created},
    ),
    ResourceType(
        pulumi_type="azure-native:storage:BlobServiceProperties",
        path=_ACCOUNT + "/blobServices/{blobServicesName}",
        singleton=True,
        names={"blobServicesName": _DEFAULT},
        checks=(
            _retention,
            in_range("deleteRetentionPolicy.days", 1, 365, _SPEC),
            in_range("containerDeleteRetentionPolicy.days", 1, 365, _SPEC),
        ),
        rules=(_versions_are_there,),
    ),
)

INVOKES = {"azure-native:storage:listStorageAccountKeys": _keys}

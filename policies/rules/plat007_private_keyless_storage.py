"""PLAT007: who reaches storage, and with what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import Properties
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

ACCOUNT = "azure-native:storage:StorageAccount"
CONTAINER = "azure-native:storage:BlobContainer"


class PrivateKeylessStorageSettings(Settings):
    """What PLAT007 lets be."""

    shared_key_accounts: tuple[str, ...] = ()
    """Logical names of storage accounts whose blobs a Managed Lustre file system imports or archives (HSM): that
    integration asks for shared-key access. Name each one."""


class PrivateKeylessStorage(Rule[Resource, PrivateKeylessStorageSettings]):
    """A storage account is reached by private endpoint and Entra alone: no public network, no key, no public blob.

    Datasets and checkpoints are what an environment is worth. An account key is a password for all of them that names
    nobody, and Azure leaves keys, the public endpoint and its open firewall on unless told otherwise. Managed Lustre's
    blob integration is the one thing here that asks for keys; its accounts are named in the settings.
    """

    id = "PLAT007"
    pack = Pack.PLATFORM
    severity = Severity.CRITICAL
    scope = Scope.RESOURCE
    fix = (
        "Set publicNetworkAccess Disabled, networkRuleSet.defaultAction Deny, allowSharedKeyAccess false and "
        "allowBlobPublicAccess false"
    )
    source = "storage API specification 2024-01-01, azure-managed-lustre amlfs-prerequisites"
    settings = PrivateKeylessStorageSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Storage accounts and blob containers."""
        return view.resources(ACCOUNT, CONTAINER)

    def judge(self, subject: Resource, view: View, settings: PrivateKeylessStorageSettings) -> Iterator[Objection]:
        """Network, keys and public blobs."""
        name = subject.node.name
        if subject.type == CONTAINER:
            access = subject.properties.text("publicAccess")
            if access not in (None, "None"):
                yield Objection(message=f"{name} has public blobs (publicAccess {access})", fix="Set publicAccess None")
            return
        keys = name not in settings.shared_key_accounts
        wrong = [text for text in _open(subject.properties, keys=keys) if text]
        if wrong:
            yield Objection(message=f"{name} has {', '.join(wrong)}")


def _open(account: Properties, *, keys: bool) -> Iterator[str]:
    if keys and account.flag("allowSharedKeyAccess") is not False:
        yield "shared-key access"
    if account.flag("allowBlobPublicAccess") is not False:
        yield "public blobs allowed"
    network = account.text("publicNetworkAccess")
    if network != "Disabled":
        yield f"publicNetworkAccess {network or 'Enabled'}"
    action = account.text("networkRuleSet", "defaultAction")
    if action != "Deny":
        yield f"networkRuleSet.defaultAction {action or 'Allow'}"

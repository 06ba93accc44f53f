"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials."""

from __future__ import annotations

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.values import Properties

_IDENTITY = RESOURCE_GROUP + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"


def _identity(context: Context) -> Properties:
    return {"principalId": context.guid("principal"), "clientId": context.guid("client"), "tenantId": context.tenant}


TYPES = (
    ResourceType(
        pulumi_type="azure-native:managedidentity:UserAssignedIdentity",
        path=_IDENTITY,
        names={
            "resourceName": NameRule(
                pattern=r"[A-Za-z0-9][-\w]{2,127}",
                text="3 to 128 letters, digits, '-' or '_', starting with a letter or digit",
            )
        },
        replace_on=("location",),
        outputs=_identity,
    ),
    ResourceType(
        pulumi_type="azure-native:managedidentity:FederatedIdentityCredential",
        path=_IDENTITY + "/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}",
        names={
            "federatedIdentityCredentialResourceName": NameRule(
                pattern=r"[A-Za-z0-9][-\w]{2,119}",
                text="3 to 120 letters, digits, '-' or '_', starting with a letter or digit",
            )
        },
    ),
)

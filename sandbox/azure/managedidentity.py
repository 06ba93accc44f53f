"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials."""

from __future__ import annotations

from sandbox import arm
from sandbox.azure.checks import at_least, at_most, matches
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError
from sandbox.values import Properties

_IDENTITY = RESOURCE_GROUP + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"


def _identity(context: Context) -> Properties:
    return {"principalId": context.guid("principal"), "clientId": context.guid("client"), "tenantId": context.tenant}


# Entra docs: workload-identity-federation-considerations.
_FEDERATION = "Entra docs: workload-identity-federation"
_MAX_CREDENTIALS = 20


def _credentials(context: Context) -> list[Properties]:
    siblings = context.below(f"{arm.parent_of(context.id)}/federatedIdentityCredentials/")
    return [other for other in siblings if other["name"].lower() != context.name.lower()]


def _subject_is_new(context: Context) -> None:
    """Issuer and subject together are unique in an identity."""
    for other in _credentials(context):
        if all(other.get(key) == context.inputs.get(key) for key in ("issuer", "subject")):
            text = "Issuer and subject combination already exists for this Managed Identity."
            raise ArmError(409, "Conflict", text)


def _room_for_one_more(context: Context) -> None:
    """An identity has at most 20 federated credentials."""
    if len(_credentials(context)) >= _MAX_CREDENTIALS:
        text = f"Too many Federated Identity Credentials: the maximum is {_MAX_CREDENTIALS} for a Managed Identity."
        raise ArmError(400, "BadRequest", text)


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
        checks=(
            matches("issuer", r"https://\S+", "an https URL", _FEDERATION),
            matches("subject", r"\S(.*\S)?", "text without spaces around it", _FEDERATION),
            at_least("audiences", 1, _FEDERATION),
            at_most("audiences", 1, _FEDERATION),
        ),
        rules=(_subject_is_new, _room_for_one_more),
    ),
)

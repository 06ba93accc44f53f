"""Microsoft.Authorization: role assignments, and who the program runs as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure import subscription
from sandbox.azure.checks import GUID, SCOPE, matches
from sandbox.azure.model import SANDBOX_CLIENT, SANDBOX_PRINCIPAL, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties, reveal

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

# How long a new principal may take to be known everywhere (Azure docs: role-based-access-control troubleshooting; no
# figure is given, so this one is the sandbox's own). Naming its type skips the look-up.
_PROPAGATION_SECONDS = 60

_IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
_ASSIGNMENT = "azure-native:authorization:RoleAssignment"

# Azure's built-in roles that infrastructure of this kind assigns. Source: Azure docs, "Azure built-in roles".
BUILT_IN_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "b12aa53e-6015-4669-85d0-8515ebb3ae7f": "Private DNS Zone Contributor",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
    "b0d8363b-8ddd-447d-831f-62ca05bff136": "Monitoring Data Reader",
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293": "Log Analytics Contributor",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8": "Azure Kubernetes Service Cluster Admin Role",
    "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": "Azure Kubernetes Service Cluster User Role",
    "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8": "Azure Kubernetes Service Contributor Role",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "3498e952-d568-435e-9b2c-8d77e338d7f7": "Azure Kubernetes Service RBAC Admin",
    "7f6c6a51-bcf8-42ba-9220-52d62157d7db": "Azure Kubernetes Service RBAC Reader",
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": "Azure Kubernetes Service RBAC Writer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
}


def _known_role(inputs: Properties) -> Iterable[Failure]:
    role = reveal(inputs.get("roleDefinitionId"))
    if isinstance(role, str) and arm.name_of(role).lower() not in BUILT_IN_ROLES:
        reason = (
            f"The specified role definition with ID '{arm.name_of(role)}' does not exist. "
            "The sandbox knows the built-in roles of sandbox/azure/authorization.py"
        )
        yield Failure("roleDefinitionId", reason)


def _principals(context: Context) -> Iterator[tuple[str, str, str]]:
    """Object id, type and time of creation of every principal that the tenant's directory knows."""
    yield SANDBOX_PRINCIPAL, "ServicePrincipal", ""
    for record in context.everything:
        outputs = record.get("outputs", {})
        identity = outputs.get("identity")
        own = outputs.get("principalId") if record.get("token") == _IDENTITY else None
        system = identity.get("principalId") if isinstance(identity, dict) else None
        for principal in (own, system):
            if principal:
                yield str(principal), "ServicePrincipal", str(record.get("created", ""))


def _principal_exists(context: Context) -> None:
    """The directory knows the principal, and under the type that is named (azure-cli PR 33586)."""
    wanted = str(context.inputs.get("principalId", "")).lower()
    named = context.inputs.get("principalType")
    found = next(((kind, made) for known, kind, made in _principals(context) if known.lower() == wanted), None)
    if found is None and (given := subscription.principal_type(context, wanted)) is not None:
        found = (given, "")
    fresh = found is not None and bool(found[1]) and _seconds_between(found[1], context.created) < _PROPAGATION_SECONDS
    if found is None or (fresh and named is None and context.previous is None):
        text = (
            f"Principal {wanted.replace('-', '')} does not exist in the directory {context.tenant}. Check that you "
            "have the correct principal ID. If you are creating this principal and then immediately assigning a role, "
            "this error might be related to a replication delay. In this case, set the role assignment principalType "
            "property to a value, such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype. "
            "(`gpufleet sandbox set principal ID TYPE` makes one known to the sandbox.)"
        )
        raise ArmError(400, "PrincipalNotFound", text)
    if named is not None and named != found[0]:
        text = (
            f"The PrincipalId '{wanted.replace('-', '')}' has type '{found[0]}' , which is different from specified "
            f"PrinciaplType '{named}'."
        )
        raise ArmError(400, "UnmatchedPrincipalType", text)


def _seconds_between(earlier: str, later: str) -> float:
    return (dt.datetime.fromisoformat(later) - dt.datetime.fromisoformat(earlier)).total_seconds()


def _not_assigned_yet(context: Context) -> None:
    """One assignment for scope, role and principal (Azure docs: role-based-access-control troubleshooting)."""
    mine = _triple(context.id, context.inputs)
    for other in context.of_type(_ASSIGNMENT):
        if _triple(other["id"], other["inputs"]) == mine:
            text = (
                "The role assignment already exists. The ID of the existing role assignment is "
                f"{arm.name_of(other['id']).replace('-', '')}."
            )
            raise ArmError(409, "RoleAssignmentExists", text)


def _triple(resource_id: str, inputs: Properties) -> tuple[str, str, str]:
    scope = resource_id.rpartition("/providers/Microsoft.Authorization/")[0]
    role = arm.name_of(str(inputs.get("roleDefinitionId", "")))
    return scope.lower(), role.lower(), str(inputs.get("principalId", "")).lower()


def _assignment_stays(_: str, __: str) -> ArmError:
    text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
    return ArmError(400, "RoleAssignmentUpdateNotPermitted", text)


def _outputs(context: Context) -> Properties:
    return {
        "createdOn": context.created,
        "updatedOn": context.created,
        "createdBy": SANDBOX_PRINCIPAL,
        "updatedBy": SANDBOX_PRINCIPAL,
        "scope": "/" + context.inputs["scope"].strip("/"),
    }


def _get_client_config(manager: ResourceManager, _: Properties) -> Properties:
    return {
        "clientId": SANDBOX_CLIENT,
        "objectId": SANDBOX_PRINCIPAL,
        "subscriptionId": manager.subscription,
        "tenantId": manager.tenant,
    }


TYPES = (
    ResourceType(
        pulumi_type=_ASSIGNMENT,
        path="/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        names={
            "roleAssignmentName": NameRule(pattern=GUID, text="a GUID"),
            "principalId": NameRule(pattern=GUID, text="the object id (a GUID) of a user, group or service principal"),
        },
        autoname="uuid",
        replace_on=("principalId",),
        # A role assignment cannot be updated but for its description and condition (Azure REST API, roleAssignments:
        # Create).
        immutable=("principalType", "roleDefinitionId"),
        change_refused=_assignment_stays,
        defaults={"principalType": "ServicePrincipal"},
        checks=(
            _known_role,
            matches("scope", SCOPE, "the id of a subscription, group or resource", "Azure REST API: roleAssignments"),
            matches("conditionVersion", r"2\.0", "'2.0'", "Azure docs: conditions-role-assignments"),
        ),
        rules=(_principal_exists, _not_assigned_yet),
        outputs=_outputs,
    ),
)

INVOKES = {"azure-native:authorization:getClientConfig": _get_client_config}

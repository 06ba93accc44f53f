"""Azure's built-in roles that the components assign, and how they assign them."""

from __future__ import annotations

from enum import Enum

import pulumi
from pulumi_azure_native import authorization

from components.context import EnvironmentContext


class Role(Enum):
    """Built-in roles; the value is the role definition's GUID (Azure RBAC built-in-roles)."""

    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
    ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"
    STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    MONITORING_DATA_READER = "b0d8363b-8ddd-447d-831f-62ca05bff136"


def assign(
    name: str,
    role: Role,
    *,
    principal_id: pulumi.Input[str],
    scope: pulumi.Input[str],
    environment: EnvironmentContext,
    opts: pulumi.ResourceOptions,
) -> authorization.RoleAssignment:
    """Give `role` at `scope` to a managed identity.

    The principal's type is always said: without it Azure looks the principal up, and fails with PrincipalNotFound while
    a new identity has not reached every replica of Entra (azure-cli pull 33586). The assignment's own name is a GUID
    that the provider makes.
    """
    definition = pulumi.Output.format(
        "/subscriptions/{0}/providers/Microsoft.Authorization/roleDefinitions/{1}",
        environment.subscription_id,
        role.value,
    )
    return authorization.RoleAssignment(
        name,
        principal_id=principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=definition,
        scope=scope,
        opts=opts,
    )

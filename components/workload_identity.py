"""An identity that pods of a region's cluster have through their service account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import managedidentity

from components.context import ScopeContext
from components.gpu_cluster import GpuCluster
from components.options import child

_AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentity:
    """What was made."""

    client_id: pulumi.Output[str]
    principal_id: pulumi.Output[str]
    credentials: Sequence[pulumi.Resource]
    """What must be there before a pod can sign in."""


def workload_identity(
    parent: pulumi.Resource,
    prefix: str,
    *,
    scope: ScopeContext,
    cluster: GpuCluster,
    purpose: str,
    service_accounts: Sequence[tuple[str, str]],
) -> WorkloadIdentity:
    """A user-assigned identity and a federated credential for each service account, inside the component `parent`.

    Args:
        parent: the component.
        prefix: of the resources' names.
        scope: where the identity is.
        cluster: whose service accounts.
        purpose: part of its name.
        service_accounts: namespace and name of each; at most 20 (managed-identities workload-identity-federation
            considerations).
    """
    opts = child(parent, scope.environment.environment_class)
    identity = managedidentity.UserAssignedIdentity(
        f"{prefix}-id-{purpose}",
        resource_name_=scope.name_of("id", purpose),
        resource_group_name=scope.resource_group_name,
        location=scope.region,
        tags=scope.environment.tags,
        opts=opts,
    )
    issuer = cluster.cluster.oidc_issuer_profile.apply(lambda profile: (profile.issuer_url if profile else "") or "")
    credentials: list[pulumi.Resource] = []
    for namespace, account in service_accounts:
        credentials.append(
            managedidentity.FederatedIdentityCredential(
                f"{prefix}-credential-{purpose}.{namespace}",
                federated_identity_credential_resource_name=f"{namespace}-{account}",
                resource_name_=identity.name,
                resource_group_name=scope.resource_group_name,
                issuer=issuer,
                subject=f"system:serviceaccount:{namespace}:{account}",
                audiences=[_AUDIENCE],
                # One after the other: writes to one identity at once are refused (managed-identities
                # workload-identity-federation considerations: concurrent updates).
                opts=child(
                    parent, scope.environment.environment_class, depends_on=credentials[-1:], deleted_with=identity
                ),
            )
        )
    return WorkloadIdentity(client_id=identity.client_id, principal_id=identity.principal_id, credentials=credentials)

"""One storage account for blobs with what belongs to it: containers, their rules, and the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, privatedns, storage

from components.context import ScopeContext
from components.options import Keep, child
from gpufleet.spec.storage import BlobTier, Container

BLOB_PRIVATE_ZONE = "privatelink.blob.core.windows.net"
"""Azure's private DNS zone of blob endpoints (private-endpoint-dns)."""
DELETED_CONTAINER_DAYS = 7
"""Days in which a deleted container can be brought back, Azure's own default in its portal (storage
soft-delete-container-overview). Deleted blobs are not kept: checkpoints come and go by the terabyte, and each deleted
one would be paid for as long again."""


@dataclass(frozen=True, kw_only=True)
class BlobAccountArgs:
    """What tells the accounts of a fabric apart."""

    scope: ScopeContext
    purpose: str
    """Part of names; empty for the one that every fabric has."""
    tier: BlobTier
    zone_redundant: bool
    containers: Sequence[Container]
    shared_keys: bool = False
    """Whether account keys work. Only Managed Lustre's blob integration asks for them."""
    nfs: bool = False
    """Whether clients mount it by NFS 3.0, which can't be turned on or off later."""
    private_endpoint_subnet_id: pulumi.Input[str]
    dns_zone: privatedns.PrivateZone


@dataclass(frozen=True, kw_only=True)
class BlobAccount:
    """What was made."""

    account: storage.StorageAccount
    containers: dict[str, storage.BlobContainer]
    """By their Azure names."""
    reachable: pulumi.Resource
    """What must be there before anybody in the network finds the account."""


def blob_account(parent: pulumi.Resource, prefix: str, args: BlobAccountArgs) -> BlobAccount:
    """A storage account with its containers and a private endpoint, inside the component `parent`.

    Reached by private endpoint alone and, but for the purposes that its arguments name, by Entra alone. Not versioned:
    checkpoints are whole objects that get overwritten and deleted, so versions would keep every one at full price; and
    with a hierarchical namespace there are none (storage-feature-support-in-storage-accounts).
    """
    account = _account(parent, prefix, args)
    containers = {container.name: _container(parent, prefix, args, account, container) for container in args.containers}
    storage.BlobServiceProperties(
        f"{prefix}-{args.purpose or 'blobs'}-service",
        blob_services_name="default",
        account_name=account.name,
        resource_group_name=args.scope.resource_group_name,
        container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=DELETED_CONTAINER_DAYS),
        delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=False),
        opts=_child(parent, args, deleted_with=account),
    )
    _lifecycle(parent, prefix, args, account)
    return BlobAccount(account=account, containers=containers, reachable=_endpoint(parent, prefix, args, account))


def blob_dns_zone(
    parent: pulumi.Resource, prefix: str, scope: ScopeContext, network_id: pulumi.Input[str]
) -> privatedns.PrivateZone:
    """The private DNS zone that a scope's private endpoints of blobs are in, known in its network.

    A network is linked to one zone of this name at most, so all accounts of a scope share it.
    """
    opts = child(parent, scope.environment.environment_class)
    zone = privatedns.PrivateZone(
        f"{prefix}-dns-zone",
        private_zone_name=BLOB_PRIVATE_ZONE,
        resource_group_name=scope.resource_group_name,
        location="Global",
        tags=scope.environment.tags,
        opts=opts,
    )
    privatedns.VirtualNetworkLink(
        f"{prefix}-dns-link",
        virtual_network_link_name=scope.name_of("vnet"),
        private_zone_name=zone.name,
        resource_group_name=scope.resource_group_name,
        location="Global",
        virtual_network=privatedns.SubResourceArgs(id=network_id),
        registration_enabled=False,
        tags=scope.environment.tags,
        opts=opts,
    )
    return zone


def _child(
    parent: pulumi.Resource,
    args: BlobAccountArgs,
    *,
    keep: Keep = Keep.NOTHING,
    deleted_with: pulumi.Resource | None = None,
) -> pulumi.ResourceOptions:
    return child(parent, args.scope.environment.environment_class, keep=keep, deleted_with=deleted_with)


def _account(parent: pulumi.Resource, prefix: str, args: BlobAccountArgs) -> storage.StorageAccount:
    scope = args.scope
    premium = args.tier is BlobTier.PREMIUM
    return storage.StorageAccount(
        f"{prefix}-{args.purpose or 'blobs'}",
        account_name=scope.environment.names.storage_account(scope.name, args.purpose),
        resource_group_name=scope.resource_group_name,
        location=scope.region,
        kind=storage.Kind.BLOCK_BLOB_STORAGE if premium else storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=_redundancy(premium=premium, zones=args.zone_redundant)),
        access_tier=None if premium else storage.AccessTier.HOT,
        is_hns_enabled=args.nfs,
        enable_nfs_v3=True if args.nfs else None,
        allow_shared_key_access=args.shared_keys,
        default_to_o_auth_authentication=True,
        allow_blob_public_access=False,
        allow_cross_tenant_replication=False,
        is_local_user_enabled=False,
        # NFS 3.0 is not encrypted, and an account that insists on encryption refuses it (storage API specification
        # 2024-01-01, example NfsV3AccountCreate).
        enable_https_traffic_only=not args.nfs,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
        public_network_access=storage.PublicNetworkAccess.DISABLED,
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction.DENY, bypass=storage.Bypass.NONE
        ),
        tags=scope.environment.tags,
        opts=_child(parent, args, keep=Keep.DATA),
    )


def _redundancy(*, premium: bool, zones: bool) -> storage.SkuName:
    if zones:
        return storage.SkuName.PREMIUM_ZRS if premium else storage.SkuName.STANDARD_ZRS
    return storage.SkuName.PREMIUM_LRS if premium else storage.SkuName.STANDARD_LRS


def _container(
    parent: pulumi.Resource, prefix: str, args: BlobAccountArgs, account: storage.StorageAccount, spec: Container
) -> storage.BlobContainer:
    # A dot is no part of a container's name, so names of different accounts never meet.
    name = f"{prefix}-{args.purpose}.{spec.name}" if args.purpose else f"{prefix}-{spec.name}"
    container = storage.BlobContainer(
        name,
        container_name=spec.name,
        account_name=account.name,
        resource_group_name=args.scope.resource_group_name,
        public_access=storage.PublicAccess.NONE,
        opts=_child(parent, args, keep=Keep.DATA),
    )
    if spec.immutable_days is not None:
        # Not locked: a lock can never be undone, not even by Azure's support, and the account then stays as long as the
        # last blob's days (storage immutable-time-based-retention-policy-overview). Locking is a person's act.
        storage.BlobContainerImmutabilityPolicy(
            f"{name}-immutability",
            immutability_policy_name="default",
            container_name=container.name,
            account_name=account.name,
            resource_group_name=args.scope.resource_group_name,
            immutability_period_since_creation_in_days=spec.immutable_days,
            allow_protected_append_writes=False,
            opts=_child(parent, args, deleted_with=container),
        )
    return container


def _lifecycle(parent: pulumi.Resource, prefix: str, args: BlobAccountArgs, account: storage.StorageAccount) -> None:
    """Azure has one policy an account, so the rules of all its containers stand in it."""
    rules = [rule for container in args.containers if (rule := _rule(container)) is not None]
    if not rules:
        return
    storage.ManagementPolicy(
        f"{prefix}-{args.purpose or 'blobs'}-lifecycle",
        management_policy_name="default",
        account_name=account.name,
        resource_group_name=args.scope.resource_group_name,
        policy=storage.ManagementPolicySchemaArgs(rules=rules),
        opts=_child(parent, args, deleted_with=account),
    )


def _rule(container: Container) -> storage.ManagementPolicyRuleArgs | None:
    if (spec := container.lifecycle) is None:
        return None
    cool, delete = spec.cool_after_days, spec.delete_after_days
    return storage.ManagementPolicyRuleArgs(
        name=container.name,
        enabled=True,
        type=storage.RuleType.LIFECYCLE,
        definition=storage.ManagementPolicyDefinitionArgs(
            filters=storage.ManagementPolicyFilterArgs(
                blob_types=["blockBlob"],
                # A prefix starts with the container; without the '/' it would hold for `checkpoints-old` too.
                prefix_match=[f"{container.name}/{spec.prefix or ''}"],
            ),
            actions=storage.ManagementPolicyActionArgs(
                base_blob=storage.ManagementPolicyBaseBlobArgs(
                    tier_to_cool=_after(cool) if cool is not None else None,
                    delete=_after(delete) if delete is not None else None,
                )
            ),
        ),
    )


def _after(days: int) -> storage.DateAfterModificationArgs:
    return storage.DateAfterModificationArgs(days_after_modification_greater_than=days)


def _endpoint(
    parent: pulumi.Resource, prefix: str, args: BlobAccountArgs, account: storage.StorageAccount
) -> network.PrivateDnsZoneGroup:
    scope, purpose = args.scope, args.purpose
    endpoint = network.PrivateEndpoint(
        f"{prefix}-pep-{purpose or 'blob'}",
        private_endpoint_name=scope.name_of("pep", purpose or "blob"),
        resource_group_name=scope.resource_group_name,
        location=scope.region,
        subnet=network.SubnetArgs(id=args.private_endpoint_subnet_id),
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(
                name="blob", private_link_service_id=account.id, group_ids=["blob"]
            )
        ],
        tags=scope.environment.tags,
        opts=_child(parent, args),
    )
    return network.PrivateDnsZoneGroup(
        f"{prefix}-dns-group{'-' if purpose else ''}{purpose}",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=scope.resource_group_name,
        private_dns_zone_configs=[network.PrivateDnsZoneConfigArgs(name="blob", private_dns_zone_id=args.dns_zone.id)],
        opts=_child(parent, args),
    )

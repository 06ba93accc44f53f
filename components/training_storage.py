"""Storage of a training fabric: Managed Lustre for the GPUs, blob containers for what must outlive them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, privatedns, storage, storagecache

from components.context import ScopeContext
from components.options import LUSTRE_TIMEOUTS, Keep, child
from components.region_network import RegionNetwork
from components.roles import Role, assign
from gpufleet.spec.storage import BlobTier, Lustre, Storage

BLOB_PRIVATE_ZONE = "privatelink.blob.core.windows.net"
"""Azure's private DNS zone of blob endpoints (private-endpoint-dns)."""


@dataclass(frozen=True, kw_only=True)
class TrainingStorageArgs:
    """Arguments of TrainingStorage."""

    scope: ScopeContext
    spec: Storage
    lustre_capacity_tib: float | None
    """Capacity as stated or sized from the workload; None without a file system."""
    lustre_zone: str | None
    """Its zone; None in regions without zones."""
    zone_redundant: bool
    """Whether the region has availability zones to spread blobs over."""
    network: RegionNetwork
    data_principal_id: pulumi.Input[str]
    """Identity that reads and writes blobs: the kubelet's, which AKS's blob CSI driver mounts with."""


class TrainingStorage(pulumi.ComponentResource):
    """A Managed Lustre file system and a storage account that only private endpoint and Entra reach.

    The account is flat (no hierarchical namespace) and unversioned: checkpoints are whole objects that get overwritten
    and deleted, so versions would keep every one of them at full price, and directories bring nothing but a lower
    request rate.

    Not here: blob integration of Lustre (HSM), which asks for shared-key access (azure-managed-lustre
    amlfs-prerequisites), the CSI drivers, lifecycle rules.

    Limits that shape it: size, SKU, zone and subnet of Lustre never change, a change is another file system and the
    data stays behind (azure-managed-lustre create-file-system-portal); it is in exactly one zone; a maintenance window
    is required.
    """

    lustre_mount_address: pulumi.Output[str] | None
    """Address of the file system's management service, for `mount -t lustre ADDRESS@tcp:/lustrefs`; None without a file
    system."""
    account_name: pulumi.Output[str]

    def __init__(self, name: str, args: TrainingStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:storage:TrainingStorage", name, {}, opts)
        self._prefix = name
        self._args = args
        self.lustre_mount_address = None
        if args.spec.lustre is not None and args.lustre_capacity_tib is not None:
            self.lustre_mount_address = self._lustre(args.spec.lustre, args.lustre_capacity_tib)
        account = self._account()
        self._containers(account)
        self._private_endpoint(account)
        assign(
            f"{name}-role-blobs",
            Role.STORAGE_BLOB_DATA_CONTRIBUTOR,
            principal_id=args.data_principal_id,
            scope=account.id,
            environment=args.scope.environment,
            opts=self._child(),
        )
        self.account_name = account.name
        self.register_outputs({"accountName": self.account_name, "lustreMountAddress": self.lustre_mount_address})

    def _child(
        self, *, keep: Keep = Keep.NOTHING, custom_timeouts: pulumi.CustomTimeouts | None = None
    ) -> pulumi.ResourceOptions:
        environment_class = self._args.scope.environment.environment_class
        return child(self, environment_class, keep=keep, custom_timeouts=custom_timeouts)

    def _lustre(self, spec: Lustre, capacity_tib: float) -> pulumi.Output[str]:
        scope = self._args.scope
        file_system = storagecache.AmlFilesystem(
            f"{self._prefix}-amlfs",
            aml_filesystem_name=scope.name_of("amlfs"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            sku=storagecache.SkuNameArgs(name=spec.sku.value),
            storage_capacity_ti_b=capacity_tib,
            zones=[self._args.lustre_zone] if self._args.lustre_zone else None,
            filesystem_subnet=self._args.network.lustre_subnet_id,
            maintenance_window=storagecache.AmlFilesystemMaintenanceWindowArgs(
                day_of_week=storagecache.MaintenanceDayOfWeekType(spec.maintenance.day.value),
                time_of_day_utc=spec.maintenance.time_utc,
            ),
            tags=scope.environment.tags,
            opts=self._child(keep=Keep.DATA, custom_timeouts=LUSTRE_TIMEOUTS),
        )
        return file_system.client_info.mgs_address

    def _account(self) -> storage.StorageAccount:
        scope = self._args.scope
        premium = self._args.spec.blob.tier is BlobTier.PREMIUM
        return storage.StorageAccount(
            f"{self._prefix}-blobs",
            account_name=scope.environment.names.storage_account(scope.name),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            kind=storage.Kind.BLOCK_BLOB_STORAGE if premium else storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=self._redundancy(premium=premium)),
            access_tier=None if premium else storage.AccessTier.HOT,
            is_hns_enabled=False,
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            is_local_user_enabled=False,
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            public_network_access=storage.PublicNetworkAccess.DISABLED,
            network_rule_set=storage.NetworkRuleSetArgs(
                default_action=storage.DefaultAction.DENY, bypass=storage.Bypass.NONE
            ),
            tags=scope.environment.tags,
            opts=self._child(keep=Keep.DATA),
        )

    def _redundancy(self, *, premium: bool) -> storage.SkuName:
        if self._args.zone_redundant:
            return storage.SkuName.PREMIUM_ZRS if premium else storage.SkuName.STANDARD_ZRS
        return storage.SkuName.PREMIUM_LRS if premium else storage.SkuName.STANDARD_LRS

    def _containers(self, account: storage.StorageAccount) -> None:
        for container in self._args.spec.blob.containers:
            storage.BlobContainer(
                f"{self._prefix}-{container}",
                container_name=container,
                account_name=account.name,
                resource_group_name=self._args.scope.resource_group_name,
                public_access=storage.PublicAccess.NONE,
                opts=self._child(keep=Keep.DATA),
            )

    def _private_endpoint(self, account: storage.StorageAccount) -> None:
        scope = self._args.scope
        zone = privatedns.PrivateZone(
            f"{self._prefix}-dns-zone",
            private_zone_name=BLOB_PRIVATE_ZONE,
            resource_group_name=scope.resource_group_name,
            location="Global",
            tags=scope.environment.tags,
            opts=self._child(),
        )
        privatedns.VirtualNetworkLink(
            f"{self._prefix}-dns-link",
            virtual_network_link_name=scope.name_of("vnet"),
            private_zone_name=zone.name,
            resource_group_name=scope.resource_group_name,
            location="Global",
            virtual_network=privatedns.SubResourceArgs(id=self._args.network.id),
            registration_enabled=False,
            tags=scope.environment.tags,
            opts=self._child(),
        )
        endpoint = network.PrivateEndpoint(
            f"{self._prefix}-pep-blob",
            private_endpoint_name=scope.name_of("pep", "blob"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            subnet=network.SubnetArgs(id=self._args.network.private_endpoint_subnet_id),
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name="blob", private_link_service_id=account.id, group_ids=["blob"]
                )
            ],
            tags=scope.environment.tags,
            opts=self._child(),
        )
        network.PrivateDnsZoneGroup(
            f"{self._prefix}-dns-group",
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=scope.resource_group_name,
            private_dns_zone_configs=[network.PrivateDnsZoneConfigArgs(name="blob", private_dns_zone_id=zone.id)],
            opts=self._child(),
        )

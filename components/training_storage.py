"""Storage of a training fabric: Managed Lustre for the GPUs, blob containers for what must outlive them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage, storagecache

from components.blob_account import BlobAccount, BlobAccountArgs, blob_account, blob_dns_zone
from components.context import ScopeContext
from components.options import LUSTRE_TIMEOUTS, Keep, child
from components.region_network import RegionNetwork
from components.roles import Role, assign
from gpufleet.spec.storage import BlobMount, BlobTier, Container, Lustre, LustreHsm, Storage


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
    minutes_away: Sequence[pulumi.Resource] = ()
    """Resources of the fabric that take more than five minutes to make: a file system with blob integration comes after
    them, for the roles on its container take up to five minutes to be known (azure-managed-lustre
    amlfs-prerequisites)."""


class TrainingStorage(pulumi.ComponentResource):
    """A Managed Lustre file system and storage accounts that only private endpoint and Entra reach.

    Up to three accounts, for what they ask of Azure excludes each other: one for blobs, flat and without keys; one for
    containers that are mounted by NFS, with a hierarchical namespace; one for Lustre's blob integration, with keys.

    Not here: volumes of the cluster (TrainingVolumes), archive and import jobs but the automatic one, customer-managed
    keys and with them an identity of the file system.

    Limits that shape it: size, SKU, zone, subnet and container of Lustre never change, a change is another file system
    and the data stays behind (azure-managed-lustre create-file-system-portal); it is in exactly one zone; a maintenance
    window is required.
    """

    lustre_mount_address: pulumi.Output[str] | None
    """Address of the file system's management service, for `mount -t lustre ADDRESS@tcp:/lustrefs`; None without a file
    system."""
    account_name: pulumi.Output[str]
    """Account of the blobs; of the NFS containers where there are no others."""
    container_accounts: dict[str, pulumi.Output[str]]
    """Name of the account that each container of `storage.blob` is in."""

    def __init__(self, name: str, args: TrainingStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:storage:TrainingStorage", name, {}, opts)
        self._prefix = name
        self._args = args
        self._dns_zone = blob_dns_zone(self, name, args.scope, args.network.id)
        self.lustre_mount_address = None
        if args.spec.lustre is not None and args.lustre_capacity_tib is not None:
            self.lustre_mount_address = self._lustre(args.spec.lustre, args.lustre_capacity_tib)
        containers = args.spec.blob.all_containers()
        by_api = [container for container in containers if container.mount is not BlobMount.NFS]
        by_nfs = [container for container in containers if container.mount is BlobMount.NFS]
        accounts: dict[str, storage.StorageAccount] = {}
        if by_api:
            blobs = self._blobs("", by_api)
            self._grant("blobs", args.data_principal_id, Role.STORAGE_BLOB_DATA_CONTRIBUTOR, blobs)
            accounts.update({container.name: blobs.account for container in by_api})
        if by_nfs:
            shared = self._blobs("nfs", by_nfs, nfs=True)
            accounts.update({container.name: shared.account for container in by_nfs})
        self.container_accounts = {container: account.name for container, account in accounts.items()}
        self.account_name = next(iter(self.container_accounts.values()))
        self.register_outputs({"accountName": self.account_name, "lustreMountAddress": self.lustre_mount_address})

    def _child(
        self,
        *,
        keep: Keep = Keep.NOTHING,
        depends_on: Sequence[pulumi.Resource] = (),
        deleted_with: pulumi.Resource | None = None,
        custom_timeouts: pulumi.CustomTimeouts | None = None,
    ) -> pulumi.ResourceOptions:
        return child(
            self,
            self._args.scope.environment.environment_class,
            keep=keep,
            depends_on=depends_on,
            deleted_with=deleted_with,
            custom_timeouts=custom_timeouts,
        )

    def _blobs(
        self,
        purpose: str,
        containers: Sequence[Container],
        *,
        nfs: bool = False,
        shared_keys: bool = False,
        tier: BlobTier | None = None,
    ) -> BlobAccount:
        args = self._args
        return blob_account(
            self,
            self._prefix,
            BlobAccountArgs(
                scope=args.scope,
                purpose=purpose,
                tier=tier or args.spec.blob.tier,
                zone_redundant=args.zone_redundant,
                containers=containers,
                shared_keys=shared_keys,
                nfs=nfs,
                private_endpoint_subnet_id=args.network.private_endpoint_subnet_id,
                dns_zone=self._dns_zone,
            ),
        )

    def _grant(
        self, name: str, principal_id: pulumi.Input[str], role: Role, blobs: BlobAccount
    ) -> pulumi.CustomResource:
        return assign(
            f"{self._prefix}-role-{name}",
            role,
            principal_id=principal_id,
            scope=blobs.account.id,
            environment=self._args.scope.environment,
            opts=self._child(),
        )

    def _lustre(self, spec: Lustre, capacity_tib: float) -> pulumi.Output[str]:
        scope, squash = self._args.scope, spec.root_squash
        hsm, after = self._hsm(spec.hsm) if spec.hsm else (None, [])
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
            root_squash_settings=(
                storagecache.AmlFilesystemRootSquashSettingsArgs(
                    mode=squash.mode.value,
                    no_squash_nid_lists=squash.no_squash_nids,
                    squash_uid=squash.uid,
                    squash_gid=squash.gid,
                )
                if squash
                else None
            ),
            hsm=hsm,
            tags=scope.environment.tags,
            opts=self._child(keep=Keep.DATA, depends_on=after, custom_timeouts=LUSTRE_TIMEOUTS),
        )
        if spec.hsm and spec.hsm.auto_export_prefix:
            storagecache.AutoExportJob(
                f"{self._prefix}-auto-export",
                auto_export_job_name="archive",
                aml_filesystem_name=file_system.name,
                resource_group_name=scope.resource_group_name,
                location=scope.region,
                admin_status=storagecache.AutoExportJobAdminStatus.ENABLE,
                auto_export_prefixes=[spec.hsm.auto_export_prefix],
                tags=scope.environment.tags,
                opts=self._child(deleted_with=file_system),
            )
        return file_system.client_info.mgs_address

    def _hsm(self, spec: LustreHsm) -> tuple[storagecache.AmlFilesystemHsmArgs, list[pulumi.Resource]]:
        """Blob integration, and what must be there before: containers, roles, the way to them.

        Azure checks none of it beforehand: without the roles the creation of the file system fails, after a quarter of
        an hour (azure-managed-lustre amlfs-prerequisites).
        """
        names = (spec.container, spec.logging_container)
        blobs = self._blobs("hsm", [Container(name=name) for name in names], shared_keys=True, tier=BlobTier.STANDARD)
        provider = spec.resource_provider_principal_id
        roles = [
            self._grant("hsm-account", provider, Role.STORAGE_ACCOUNT_CONTRIBUTOR, blobs),
            self._grant("hsm-blobs", provider, Role.STORAGE_BLOB_DATA_CONTRIBUTOR, blobs),
        ]
        # Who prepares the data fills the container.
        self._grant("hsm-data", self._args.data_principal_id, Role.STORAGE_BLOB_DATA_CONTRIBUTOR, blobs)
        settings = storagecache.AmlFilesystemHsmSettingsArgs(
            container=blobs.containers[spec.container].id,
            logging_container=blobs.containers[spec.logging_container].id,
            import_prefixes_initial=list(spec.import_prefixes),
        )
        after = [*blobs.containers.values(), *roles, blobs.reachable, *self._args.minutes_away]
        return storagecache.AmlFilesystemHsmArgs(settings=settings), after

"""The environment's container registry, with a replica in every further region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry

from components.context import EnvironmentContext
from components.options import Keep, child
from gpufleet.spec.registry import Registry, RegistrySku

_DOMAIN = "azurecr.io"
"""Of login servers in Azure's public cloud, the only one whose regions the catalogue has."""


@dataclass(frozen=True, kw_only=True)
class ContainerRegistryArgs:
    """Arguments of ContainerRegistry."""

    environment: EnvironmentContext
    spec: Registry
    resource_group_name: pulumi.Input[str]
    regions: Sequence[str]
    """Every region with a cluster; the first is the registry's home, which holds its control plane and never
    changes."""


class ContainerRegistry(pulumi.ComponentResource):
    """One registry for all clusters: images are pushed once and pulled in the region.

    Geo-replication is eventually consistent: a pull right after a push elsewhere can find no manifest
    (container-registry-geo-replication), so a rollout goes region by region, by digest.

    Its data comes from endpoints of its own, one a region (`<name>.<region>.data.azurecr.io`), so that a firewall can
    let these through and no other storage account (container-registry-dedicated-data-endpoints; Premium).

    Not set, on purpose: `zoneRedundancy`, for registries and replicas are zone-redundant wherever a region has zones,
    and the property never changes (Azure docs: zone-redundancy); retention of untagged manifests, which would delete
    what clusters pull by digest, and soft delete, which no geo-replicated registry has
    (container-registry-retention-policy, container-registry-soft-delete-policy); content trust, which ends on
    2028-03-31 (adr/0036).

    Not here: private endpoints. No admin user, no anonymous pull: clusters pull with their kubelet identity (AcrPull).
    """

    id: pulumi.Output[str]
    login_server: pulumi.Output[str]
    """Host name; made of the registry's name, so a preview knows it before the registry exists."""

    def __init__(self, name: str, args: ContainerRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:registry:ContainerRegistry", name, {}, opts)
        environment = args.environment
        home, *further = args.regions
        further = list(dict.fromkeys([*further, *(region for region in args.spec.regions or [] if region != home)]))
        premium = args.spec.sku is RegistrySku.PREMIUM
        registry_name = environment.names.registry()
        registry = containerregistry.Registry(
            f"{name}-cr",
            registry_name=registry_name,
            resource_group_name=args.resource_group_name,
            location=home,
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName(args.spec.sku.value)),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            data_endpoint_enabled=True if premium else None,
            tags=environment.tags,
            opts=child(self, environment.environment_class, keep=Keep.DATA),
        )
        # Replicas ask for Premium; the specification refuses another tier with several regions.
        for region in further if premium else []:
            containerregistry.Replication(
                f"{name}-replica-{region}",
                replication_name=region,
                registry_name=registry.name,
                resource_group_name=args.resource_group_name,
                location=region,
                region_endpoint_enabled=True,
                tags=environment.tags,
                # A replica holds nothing that the registry does not; with the registry it is gone.
                opts=child(self, environment.environment_class, deleted_with=registry),
            )
        self.id = registry.id
        self.login_server = registry_name.apply(lambda own: f"{own.lower()}.{_DOMAIN}")
        self.register_outputs({"loginServer": self.login_server})

"""The environment's container registry, with a replica in every further region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry

from components.context import EnvironmentContext
from components.options import Keep, child
from gpufleet.spec.environment import Registry, RegistrySku


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

    Not here: private endpoints, retention, signing, artifact streaming. No admin user, no anonymous pull: clusters pull
    with their kubelet identity (AcrPull).
    """

    id: pulumi.Output[str]
    login_server: pulumi.Output[str]

    def __init__(self, name: str, args: ContainerRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:registry:ContainerRegistry", name, {}, opts)
        environment = args.environment
        home, *further = args.regions
        premium = args.spec.sku is RegistrySku.PREMIUM
        registry = containerregistry.Registry(
            f"{name}-cr",
            registry_name=environment.names.registry(),
            resource_group_name=args.resource_group_name,
            location=home,
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName(args.spec.sku.value)),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
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
        self.login_server = registry.login_server
        self.register_outputs({"loginServer": self.login_server})

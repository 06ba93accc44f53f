"""One region that serves models: cluster, pools, and the address of its gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice, resources
from pulumi_azure_native import network as azure_network

from components.context import EnvironmentContext, ScopeContext
from components.gpu_cluster import GpuCluster, GpuClusterArgs
from components.in_cluster import ClusterAccess
from components.model_weights import mounts_weights
from components.observability import Observability, ObservabilityArgs
from components.options import child
from components.outputs import ClusterSummary
from components.region_network import FRONT_DOOR_BACKEND, INTERNET, RegionNetwork, RegionNetworkArgs
from components.region_origin import PrivateOrigin, RegionOrigin
from components.region_serving import GatewayCaller, RegionServing
from components.scope_pools import add_pools, agent_pool_names
from components.server_times import drain_times
from components.serving_parts import add_serving
from gpufleet.catalog import front_door_private_link
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.addresses import ScopeAddresses
from gpufleet.spec.autoscaler_priorities import has_priorities
from gpufleet.spec.inference import Inference
from gpufleet.spec.inference import InferenceRegion as InferenceRegionSpec
from gpufleet.spec.pool_tags import pool_tags


@dataclass(frozen=True, kw_only=True)
class InferenceRegionArgs:
    """Arguments of InferenceRegion."""

    environment: EnvironmentContext
    inference: Inference
    """The platform that the region belongs to."""
    spec: InferenceRegionSpec
    plans: Sequence[ServerPlan]
    """Servers of this region."""
    addresses: ScopeAddresses
    registry_id: pulumi.Input[str]
    registry_login_server: pulumi.Input[str]
    front_door_id: pulumi.Input[str] | None
    """What Front Door says of itself to gateways; None without Front Door."""
    caller: GatewayCaller | None
    """Whose requests gateways answer; None without API Management."""
    maintenance_day: containerservice.WeekDay


class InferenceRegion(pulumi.ComponentResource):
    """Resource group, network, cluster, pools with the GPU Operator, logs, and what serves the models.

    It upgrades by itself in a weekly window of its own, so that no two regions drain nodes at once (as long as there
    are at most seven).

    Not here: the gateway and model servers inside the cluster, autoscaling signals.
    """

    summary: ClusterSummary
    origin: RegionOrigin
    """The region as the global endpoint sees it; its name is the same for the life of the environment."""

    def __init__(self, name: str, args: InferenceRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:InferenceRegion", name, {}, opts)
        environment, spec = args.environment, args.spec
        own = pulumi.ResourceOptions(parent=self)
        group_name = environment.names.of("rg", spec.name)
        group = resources.ResourceGroup(
            f"{name}-rg",
            resource_group_name=group_name,
            location=spec.name,
            tags=environment.tags,
            opts=child(self, environment.environment_class),
        )
        scope = ScopeContext(environment=environment, name=spec.name, region=spec.name, resource_group_name=group.name)
        private = args.inference.private_link
        public_clients = FRONT_DOOR_BACKEND if args.inference.traffic_manager is None else INTERNET
        network = RegionNetwork(
            f"{name}-network",
            RegionNetworkArgs(
                scope=scope,
                addresses=args.addresses,
                nat_public_ips=spec.network.nat_public_ips,
                zone=spec.network.nat_zone,
                gateway_clients=None if private else public_clients,
                private_link=private,
                answers_challenges=bool(args.plans) and args.inference.gateway.tls_secret is None,
            ),
            opts=own,
        )
        cluster = GpuCluster(
            f"{name}-cluster",
            GpuClusterArgs(
                scope=scope,
                spec=spec.cluster,
                network=network,
                registry_id=args.registry_id,
                # The gateway's address is not in AKS's own resource group, so the control plane needs the one it is in
                # (AKS static-ip).
                network_scope_id=group.id,
                follows_priorities=has_priorities(spec.pools, spec.cluster.autoscaler),
                upgrades_by_itself=True,
                maintenance_day=args.maintenance_day,
                serves_models=bool(args.plans),
                mounts_blobs=mounts_weights(spec.pools, args.plans),
                longest_end_seconds=max((drain_times(plan).grace_seconds for plan in args.plans), default=0),
            ),
            opts=own,
        )
        pools = add_pools(
            self,
            scope=scope,
            spec=spec.cluster,
            pools=spec.pools,
            cluster=cluster,
            network=network,
            tags={pool.name: pool_tags(args.inference, spec, pool) for pool in spec.pools},
        )
        address = None if private else self._gateway_address(name, scope)
        service_name = scope.name_of("pls", "gateway") if private else None
        host_name = _gateway_host_name(args.inference, spec, address)
        serving: Sequence[pulumi.Resource] = ()
        if args.plans:
            serving = add_serving(
                RegionServing(
                    parent=self,
                    scope=scope,
                    inference=args.inference,
                    region=spec,
                    plans=args.plans,
                    cluster=cluster,
                    access=ClusterAccess(
                        environment_class=environment.environment_class,
                        provider=cluster.provider,
                        cluster=cluster.cluster,
                    ),
                    network=network,
                    pools=pools,
                    registry_id=args.registry_id,
                    registry_login_server=args.registry_login_server,
                    gateway_address_name=None if address is None else address.name,
                    private_link_service_name=service_name,
                    gateway_host_name=host_name,
                    front_door_id=args.front_door_id,
                    caller=args.caller,
                )
            )
        Observability(
            f"{name}-observability",
            ObservabilityArgs(scope=scope, cluster=cluster.cluster, daily_cap_gb=spec.cluster.logs_daily_cap_gb),
            opts=own,
        )
        self.origin = RegionOrigin(
            spec=spec,
            host_name=host_name,
            address_id=None if address is None else address.id,
            private=None if service_name is None else _private_origin(scope, service_name),
            serving=serving,
        )
        self.summary = ClusterSummary(
            name=scope.name_of("aks"), resource_group=group_name, region=spec.name, pools=agent_pool_names(pools)
        )
        self.register_outputs({"cluster": self.summary.as_output(), "gatewayHostName": host_name})

    def _gateway_address(self, name: str, scope: ScopeContext) -> azure_network.PublicIPAddress:
        return azure_network.PublicIPAddress(
            f"{name}-pip-gateway",
            public_ip_address_name=scope.name_of("pip", "gateway"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            sku=azure_network.PublicIPAddressSkuArgs(
                name=azure_network.PublicIPAddressSkuName.STANDARD, tier=azure_network.PublicIPAddressSkuTier.REGIONAL
            ),
            public_ip_allocation_method=azure_network.IPAllocationMethod.STATIC,
            public_ip_address_version=azure_network.IPVersion.I_PV4,
            dns_settings=azure_network.PublicIPAddressDnsSettingsArgs(
                domain_name_label=scope.environment.names.gateway_label(scope.name)
            ),
            tags=scope.environment.tags,
            opts=child(self, scope.environment.environment_class),
        )


def _gateway_host_name(
    inference: Inference, region: InferenceRegionSpec, address: azure_network.PublicIPAddress | None
) -> pulumi.Output[str]:
    """The name in the gateway's certificate: clients' own name where they connect to it, else what Front Door asks."""
    if inference.traffic_manager is not None:
        return pulumi.Output.from_input(inference.traffic_manager.domain)
    if address is None:
        return pulumi.Output.from_input(f"{region.name}.{inference.front_door.origin_domain}")
    return address.dns_settings.apply(lambda dns: (dns.fqdn if dns else None) or "")


def _private_origin(scope: ScopeContext, service_name: str) -> PrivateOrigin:
    return PrivateOrigin(
        service_id=pulumi.Output.format(
            "/subscriptions/{0}/resourceGroups/{1}/providers/Microsoft.Network/privateLinkServices/{2}",
            scope.environment.subscription_id,
            scope.resource_group_name,
            service_name,
        ),
        location=front_door_private_link.nearest(scope.region),
    )

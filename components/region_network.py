"""The virtual network of one scope: subnets, security groups, outbound addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pulumi
from pulumi_azure_native import network

from components.context import ScopeContext
from components.options import Keep, child
from gpufleet.spec.addresses import ScopeAddresses


@dataclass(frozen=True, kw_only=True)
class RegionNetworkArgs:
    """Arguments of RegionNetwork."""

    scope: ScopeContext
    addresses: ScopeAddresses
    nat_public_ips: int
    zone: str | None = None
    """Of the NAT gateway and its addresses; None leaves it to Azure."""
    holds_data: bool = False
    """Whether a Managed Lustre file system stands in it: what stands under data is kept as dear as the data."""
    gateway_clients: str | None = None
    """Service tag of those who reach a gateway on the nodes by HTTPS; nobody unless given."""
    answers_challenges: bool = False
    """Whether an authority that issues certificates by ACME reaches the gateway by HTTP."""
    private_link: bool = False
    """Whether a Private Link service on the nodes' load balancer takes addresses of the system subnet."""


FRONT_DOOR_BACKEND = "AzureFrontDoor.Backend"
"""Service tag of Front Door's edge locations towards origins (service-tags-overview)."""
INTERNET = "Internet"
"""Service tag of all public addresses."""


class _Rule(NamedTuple):
    name: str
    direction: network.SecurityRuleDirection
    source: str
    destination: str
    ports: list[str]
    protocol: network.SecurityRuleProtocol


_INBOUND = network.SecurityRuleDirection.INBOUND
_OUTBOUND = network.SecurityRuleDirection.OUTBOUND
_TCP = network.SecurityRuleProtocol.TCP
_ANY = network.SecurityRuleProtocol.ASTERISK

# Lustre's ports, and the file system's own way to Azure's cloud services (azure-managed-lustre amlfs-prerequisites).
_LUSTRE_PORTS = ["988", "1019-1023"]
_LUSTRE_RULES = [
    _Rule("AllowLustreInbound", _INBOUND, "VirtualNetwork", "VirtualNetwork", _LUSTRE_PORTS, _TCP),
    _Rule("AllowLustreOutbound", _OUTBOUND, "VirtualNetwork", "VirtualNetwork", _LUSTRE_PORTS, _TCP),
    _Rule("AllowAzureCloudOutbound", _OUTBOUND, "VirtualNetwork", "AzureCloud", ["*"], _ANY),
]
_PRIVATE_ENDPOINT_RULES = [_Rule("AllowHttpsInbound", _INBOUND, "VirtualNetwork", "VirtualNetwork", ["443"], _TCP)]

# From anywhere: authorities don't tell where they ask from, and change it (Let's Encrypt FAQ). The gateway's HTTP
# listener has no routes but those of challenges.
_ACME_RULES = [_Rule("AllowAcmeInbound", _INBOUND, INTERNET, "*", ["80"], _TCP)]


def _gateway_rules(clients: str | None) -> list[_Rule]:
    # AKS opens ports of LoadBalancer services in its own security group alone, not in one that stands on the subnet.
    if clients is None:
        return []
    name = "FrontDoor" if clients == FRONT_DOOR_BACKEND else clients
    return [_Rule(f"Allow{name}Inbound", _INBOUND, clients, "*", ["443"], _TCP)]


class RegionNetwork(pulumi.ComponentResource):
    """A virtual network with subnets for system, GPU, Lustre and private endpoints, security groups, a NAT gateway.

    Not here: private DNS and private endpoints (TrainingStorage), the gateway's public address (InferenceRegion),
    peering. InfiniBand needs nothing of this network: it is a fabric of its own, which only asks that no range overlaps
    172.16.0.0/16 (azure-compute-docs setup-infiniband).

    Limits that shape it: a NAT gateway is in one zone or in none, and its addresses must fit (nat-gateway-resource);
    two or more addresses for large clusters (AKS best-practices-performance-scale-large); subnets of one network are
    changed one at a time (AnotherOperationInProgress), so each waits for the one before.
    """

    id: pulumi.Output[str]
    """ARM id of the virtual network."""
    system_subnet_id: pulumi.Output[str]
    gpu_subnet_id: pulumi.Output[str]
    lustre_subnet_id: pulumi.Output[str]
    private_endpoint_subnet_id: pulumi.Output[str]
    outbound_addresses: pulumi.Output[list[str]]
    """Public IPv4 addresses the nodes go out by."""
    outbound_ready: list[pulumi.Resource]
    """What must exist before nodes can go out: AKS asks for a NAT gateway on the subnet when outboundType is
    userAssignedNATGateway."""

    def __init__(self, name: str, args: RegionNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:network:RegionNetwork", name, {}, opts)
        self._prefix = name
        self._args = args
        scope = args.scope
        subnets = args.addresses.subnets
        vnet = network.VirtualNetwork(
            f"{name}-vnet",
            virtual_network_name=scope.name_of("vnet"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            address_space=network.AddressSpaceArgs(address_prefixes=[args.addresses.vnet]),
            tags=scope.environment.tags,
            opts=self._child(keep=self._data),
        )
        self._vnet = vnet
        gateway = [*_gateway_rules(args.gateway_clients), *(_ACME_RULES if args.answers_challenges else [])]
        nodes = self._security_group("nodes", gateway)
        lustre = self._security_group("lustre", _LUSTRE_RULES, keep=self._data)
        private_endpoints = self._security_group("privateendpoints", _PRIVATE_ENDPOINT_RULES)
        nat, addresses = self._nat_gateway()

        # First, for it is written while the NAT gateway is still being made, and a file system takes the longest.
        # Without the gateway: a kept Lustre subnet would keep gateway and addresses too. The file system itself needs
        # a way out to Azure's services, so the subnet is not private.
        lustre_subnet = self._subnet("lustre", subnets.lustre, lustre, keep=self._data)
        system_subnet = self._subnet(
            "system", subnets.system, nodes, nat=nat, after=lustre_subnet, private_link=args.private_link
        )
        gpu_subnet = self._subnet("gpu", subnets.gpu, nodes, nat=nat, after=system_subnet)
        endpoint_subnet = self._subnet(
            "privateendpoints",
            subnets.private_endpoints,
            private_endpoints,
            after=gpu_subnet,
            private_endpoints=True,
        )

        self.id = vnet.id
        self.system_subnet_id = system_subnet.id
        self.gpu_subnet_id = gpu_subnet.id
        self.lustre_subnet_id = lustre_subnet.id
        self.private_endpoint_subnet_id = endpoint_subnet.id
        self.outbound_addresses = pulumi.Output.all(*(address.ip_address for address in addresses)).apply(
            lambda values: [value for value in values if value]
        )
        self.outbound_ready = [system_subnet, gpu_subnet]
        self.register_outputs({"id": self.id, "outboundAddresses": self.outbound_addresses})

    @property
    def _data(self) -> Keep:
        return Keep.DATA if self._args.holds_data else Keep.NOTHING

    def _child(self, *, keep: Keep = Keep.NOTHING, after: pulumi.Resource | None = None) -> pulumi.ResourceOptions:
        environment_class = self._args.scope.environment.environment_class
        return child(self, environment_class, keep=keep, depends_on=[after] if after else [])

    def _security_group(
        self, purpose: str, rules: list[_Rule], *, keep: Keep = Keep.NOTHING
    ) -> network.NetworkSecurityGroup:
        scope = self._args.scope
        return network.NetworkSecurityGroup(
            f"{self._prefix}-nsg-{purpose}",
            network_security_group_name=scope.name_of("nsg", purpose),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            security_rules=[
                network.SecurityRuleArgs(
                    name=rule.name,
                    priority=100 + 10 * index,
                    access=network.SecurityRuleAccess.ALLOW,
                    direction=rule.direction,
                    protocol=rule.protocol,
                    source_address_prefix=rule.source,
                    source_port_range="*",
                    destination_address_prefix=rule.destination,
                    destination_port_ranges=rule.ports,
                )
                for index, rule in enumerate(rules)
            ],
            tags=scope.environment.tags,
            opts=self._child(keep=keep),
        )

    def _nat_gateway(self) -> tuple[network.NatGateway, list[network.PublicIPAddress]]:
        scope = self._args.scope
        zones = [self._args.zone] if self._args.zone else None
        addresses = [
            network.PublicIPAddress(
                f"{self._prefix}-pip-nat-{number}",
                public_ip_address_name=scope.name_of("pip", "nat", str(number)),
                resource_group_name=scope.resource_group_name,
                location=scope.region,
                sku=network.PublicIPAddressSkuArgs(
                    name=network.PublicIPAddressSkuName.STANDARD, tier=network.PublicIPAddressSkuTier.REGIONAL
                ),
                public_ip_allocation_method=network.IPAllocationMethod.STATIC,
                public_ip_address_version=network.IPVersion.I_PV4,
                zones=zones,
                tags=scope.environment.tags,
                opts=self._child(),
            )
            for number in range(1, self._args.nat_public_ips + 1)
        ]
        gateway = network.NatGateway(
            f"{self._prefix}-ng",
            nat_gateway_name=scope.name_of("ng"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            sku=network.NatGatewaySkuArgs(name=network.NatGatewaySkuName.STANDARD),
            public_ip_addresses=[network.SubResourceArgs(id=address.id) for address in addresses],
            # Image pulls and model downloads are long; 4 minutes is the default, 120 the longest, and idle flows hold
            # ports.
            idle_timeout_in_minutes=10,
            zones=zones,
            tags=scope.environment.tags,
            opts=self._child(),
        )
        return gateway, addresses

    def _subnet(
        self,
        purpose: str,
        cidr: str,
        security_group: network.NetworkSecurityGroup,
        *,
        nat: network.NatGateway | None = None,
        after: pulumi.Resource | None = None,
        keep: Keep = Keep.NOTHING,
        private_endpoints: bool = False,
        private_link: bool = False,
    ) -> network.Subnet:
        policies = network.VirtualNetworkPrivateEndpointNetworkPolicies
        # Where the policies are on, a Private Link service can't take an address (disable-private-link-service-
        # network-policy).
        service_policies = network.VirtualNetworkPrivateLinkServiceNetworkPolicies.DISABLED if private_link else None
        return network.Subnet(
            f"{self._prefix}-snet-{purpose}",
            subnet_name=f"snet-{purpose}",
            resource_group_name=self._args.scope.resource_group_name,
            virtual_network_name=self._vnet.name,
            address_prefix=cidr,
            network_security_group=network.NetworkSecurityGroupArgs(id=security_group.id),
            nat_gateway=network.SubResourceArgs(id=nat.id) if nat else None,
            # Azure's implicit outbound address is being retired (default-outbound-access); only Lustre's subnet still
            # asks for it.
            default_outbound_access=purpose == "lustre",
            # Without this the security group would not apply to private endpoints
            # (disable-private-endpoint-network-policy).
            private_endpoint_network_policies=(
                policies.NETWORK_SECURITY_GROUP_ENABLED if private_endpoints else policies.DISABLED
            ),
            private_link_service_network_policies=service_policies,
            opts=self._child(keep=keep, after=after),
        )

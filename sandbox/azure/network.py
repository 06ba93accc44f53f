"""Microsoft.Network: networks, subnets, security groups, public addresses, NAT gateways, private endpoints."""

from __future__ import annotations

from sandbox.azure import network_rules, security_rules
from sandbox.azure.checks import at_least, at_most, cidr, in_range, matches, unique
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError
from sandbox.values import Properties

_PROVIDER = RESOURCE_GROUP + "/providers/Microsoft.Network"
_NETWORK = _PROVIDER + "/virtualNetworks/{virtualNetworkName}"
_ENDPOINT = _PROVIDER + "/privateEndpoints/{privateEndpointName}"
_SPEC = "network API specification 2024-05-01"


def _name(shortest: int, longest: int) -> NameRule:
    inner = rf"[A-Za-z0-9]([\w.-]{{{max(shortest - 2, 0)},{longest - 2}}}\w)" + ("?" if shortest == 1 else "")
    return NameRule(
        pattern=inner,
        text=f"{shortest} to {longest} letters, digits, '_', '-' or '.', from a letter or digit to one of these or '_'",
    )


def _security_group(context: Context) -> Properties:
    rules = [{**rule, "provisioningState": "Succeeded"} for rule in context.inputs.get("securityRules", ())]
    return {"resourceGuid": context.guid("resource"), "securityRules": rules, "defaultSecurityRules": []}


def _network(context: Context) -> Properties:
    return {
        "resourceGuid": context.guid("resource"),
        "subnets": context.inputs.get("subnets", []),
        "virtualNetworkPeerings": [],
    }


def _zones_stay(resource_id: str, _: str) -> ArmError:
    text = (
        f"Resource {resource_id} has an existing availability zone constraint and the request has another one. Zones "
        "cannot be added/updated/removed once the resource is created."
    )
    return ArmError(400, "ResourceAvailabilityZonesCannotBeModified", text)


def _guid_only(context: Context) -> Properties:
    return {"resourceGuid": context.guid("resource")}


def _address(context: Context) -> Properties:
    # 20.0.0.0/8 holds much of Azure's public space; which address it is says nothing.
    octets = bytes.fromhex(context.token("address", 6))
    outputs: Properties = {
        "resourceGuid": context.guid("resource"),
        "ipAddress": f"20.{octets[0]}.{octets[1]}.{octets[2]}",
    }
    settings = context.inputs.get("dnsSettings")
    if isinstance(settings, dict) and settings.get("domainNameLabel"):
        outputs["dnsSettings"] = {
            **settings,
            "fqdn": f"{settings['domainNameLabel']}.{context.location}.cloudapp.azure.com",
        }
    return outputs


def _endpoint(context: Context) -> Properties:
    group = context.id.rpartition("/providers/")[0]
    card = f"{group}/providers/Microsoft.Network/networkInterfaces/{context.name}.nic.{context.guid('nic')}"
    state = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    connections = [
        {"privateLinkServiceConnectionState": state, **connection, "provisioningState": "Succeeded"}
        for connection in context.inputs.get("privateLinkServiceConnections", ())
    ]
    return {"networkInterfaces": [{"id": card}], "privateLinkServiceConnections": connections, "customDnsConfigs": []}


def _private_link_service(context: Context) -> Properties:
    alias = f"{context.name}.{context.guid('alias')}.{context.location}.azure.privatelinkservice"
    return {"alias": alias, "networkInterfaces": [], "privateEndpointConnections": []}


_RULES = "network API specification 2024-05-01, SecurityRule"
_PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]?\d{1,4})"
_PORTS = rf"\*|{_PORT}(-{_PORT})?"
_LINK_DOCS = "Azure docs: private-link-service-overview"
_ENDPOINT_DOCS = "Azure docs: private-endpoint-overview"

TYPES = (
    ResourceType(
        pulumi_type="azure-native:network:VirtualNetwork",
        path=_NETWORK,
        names={"virtualNetworkName": _name(2, 64)},
        replace_on=("location",),
        defaults={"enableDdosProtection": False},
        checks=(
            cidr("addressSpace.addressPrefixes[]", _SPEC),
            at_least("addressSpace.addressPrefixes", 1, _SPEC),
            network_rules.spaces_are_disjoint,
            network_rules.has_address_space,
            network_rules.protection_has_a_plan,
            in_range("flowTimeoutInMinutes", 4, 30, _SPEC),
        ),
        rules=(network_rules.spaces_hold_their_subnets,),
        delete_rules=(network_rules.network_is_unused,),
        outputs=_network,
        lists={"subnets": "subnets"},
    ),
    ResourceType(
        pulumi_type="azure-native:network:Subnet",
        path=_NETWORK + "/subnets/{subnetName}",
        names={"subnetName": _name(1, 80)},
        # The API's own default for private endpoint policies is Disabled, for private link services Enabled (subnet
        # resource reference).
        defaults={
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
        },
        checks=(
            cidr("addressPrefix", _SPEC),
            cidr("addressPrefixes[]", _SPEC),
            network_rules.subnet_has_one_form,
            network_rules.subnet_is_large_enough,
            network_rules.references_have_ids,
        ),
        rules=(
            network_rules.subnet_fits,
            network_rules.neighbours_in_one_region,
            network_rules.used_prefix_stays,
        ),
        delete_rules=(network_rules.subnet_is_unused,),
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateLinkService",
        path=_PROVIDER + "/privateLinkServices/{serviceName}",
        names={"serviceName": _name(1, 80)},
        replace_on=("location",),
        defaults={"enableProxyProtocol": False},
        checks=(
            at_least("loadBalancerFrontendIpConfigurations", 1, _LINK_DOCS),
            at_least("ipConfigurations", 1, _LINK_DOCS),
            at_most("ipConfigurations", 8, _LINK_DOCS),
        ),
        rules=(network_rules.service_policies_are_off,),
        outputs=_private_link_service,
    ),
    ResourceType(
        pulumi_type="azure-native:network:NetworkSecurityGroup",
        path=_PROVIDER + "/networkSecurityGroups/{networkSecurityGroupName}",
        names={"networkSecurityGroupName": _name(1, 80)},
        checks=(
            in_range("securityRules[].priority", 100, 4096, _RULES),
            unique("securityRules[].name", _RULES),
            matches(
                "securityRules[].name",
                r"[A-Za-z0-9]([\w.-]{0,78}\w)?",
                "1 to 80 letters, digits, '_', '-' or '.'",
                _RULES,
            ),
            matches("securityRules[].sourcePortRange", _PORTS, "'*', a port or a range of ports", _RULES),
            matches("securityRules[].sourcePortRanges[]", _PORTS, "'*', a port or a range of ports", _RULES),
            matches("securityRules[].destinationPortRange", _PORTS, "'*', a port or a range of ports", _RULES),
            matches("securityRules[].destinationPortRanges[]", _PORTS, "'*', a port or a range of ports", _RULES),
            security_rules.rule_priorities_differ,
            security_rules.rule_is_complete,
            security_rules.rule_prefixes,
        ),
        delete_rules=(network_rules.security_group_is_unused,),
        outputs=_security_group,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PublicIPAddress",
        path=_PROVIDER + "/publicIPAddresses/{publicIpAddressName}",
        names={"publicIpAddressName": _name(1, 80)},
        replace_on=("location", "publicIPAddressVersion", "publicIPPrefix", "sku"),
        immutable=("zones",),
        change_refused=_zones_stay,
        defaults={
            "publicIPAllocationMethod": "Dynamic",
            "publicIPAddressVersion": "IPv4",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
        },
        nested_defaults={"sku": {"tier": "Regional"}},
        checks=(
            network_rules.standard_is_static,
            network_rules.zones,
            matches(
                "dnsSettings.domainNameLabel",
                r"[a-z][a-z0-9-]{1,61}[a-z0-9]",
                "3 to 63 lower-case letters, digits or '-', starting with a letter",
                _SPEC,
            ),
            in_range("idleTimeoutInMinutes", 4, 30, _SPEC),
        ),
        rules=(network_rules.label_is_free, network_rules.region_has_zones),
        delete_rules=(network_rules.address_is_unused,),
        outputs=_address,
    ),
    ResourceType(
        pulumi_type="azure-native:network:NatGateway",
        path=_PROVIDER + "/natGateways/{natGatewayName}",
        names={"natGatewayName": _name(1, 80)},
        immutable=("zones",),
        change_refused=_zones_stay,
        defaults={"idleTimeoutInMinutes": 4},
        checks=(
            in_range("idleTimeoutInMinutes", 4, 120, _SPEC),
            at_most("publicIpAddresses", 16, "Azure docs: nat-gateway-resource"),
            at_most("zones", 1, "Azure docs: nat-gateway availability zones"),
            network_rules.zones,
        ),
        rules=(network_rules.gateway_addresses_fit, network_rules.region_has_zones),
        delete_rules=(network_rules.gateway_is_unused,),
        outputs=_guid_only,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateEndpoint",
        path=_ENDPOINT,
        names={"privateEndpointName": _name(2, 64)},
        replace_on=("subnet",),
        checks=(network_rules.endpoint_has_a_connection, network_rules.endpoint_names_its_subnet),
        rules=(
            network_rules.endpoint_group_exists,
            network_rules.neighbours_in_one_region,
            network_rules.endpoint_subnet_has_room,
        ),
        outputs=_endpoint,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateDnsZoneGroup",
        path=_ENDPOINT + "/privateDnsZoneGroups/{privateDnsZoneGroupName}",
        names={"privateDnsZoneGroupName": _name(1, 80)},
        checks=(
            at_most("privateDnsZoneConfigs", 5, _ENDPOINT_DOCS),
            at_least("privateDnsZoneConfigs", 1, _ENDPOINT_DOCS),
            unique("privateDnsZoneConfigs[].name", _ENDPOINT_DOCS),
        ),
        rules=(network_rules.one_zone_group,),
    ),
)

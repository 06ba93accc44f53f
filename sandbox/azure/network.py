"""Microsoft.Network: networks, subnets, security groups, public addresses, NAT gateways, private endpoints."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, in_range
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, lookup, reveal

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


def _prefixes(inputs: Properties) -> Iterable[Failure]:
    """Address prefixes must be networks in CIDR form."""
    for path in ("addressSpace.addressPrefixes[]", "addressPrefixes[]", "addressPrefix"):
        for prefix in lookup(inputs, path):
            if prefix is UNKNOWN or not isinstance(prefix, str):
                continue
            try:
                ipaddress.ip_network(prefix)
            except ValueError as error:
                yield Failure(path.replace("[]", ""), f"'{prefix}' is not a network in CIDR form: {error}")


def _subnet_prefixes(properties: Properties) -> list[str]:
    return [
        item
        for path in ("addressPrefixes[]", "addressPrefix")
        for item in lookup(properties, path)
        if isinstance(item, str)
    ]


def _subnet_fits(context: Context) -> None:
    """A subnet lies in its virtual network's address space and overlaps no other subnet."""
    network_id = context.id.rpartition("/subnets/")[0]
    network = context.find(network_id) or {}
    spaces = [ipaddress.ip_network(space) for space in lookup(network, "addressSpace.addressPrefixes[]")]
    others = [
        (other["name"], ipaddress.ip_network(prefix))
        for other in context.below(network_id + "/subnets/")
        for prefix in _subnet_prefixes(other)
        if other["name"].lower() != context.name.lower()
    ]
    for prefix in _subnet_prefixes(context.inputs):
        wanted = ipaddress.ip_network(prefix)
        if not any(wanted.version == space.version and wanted.subnet_of(space) for space in spaces):  # type: ignore[arg-type]
            text = (
                f"Subnet '{context.name}' is not valid because its IP address range is outside the IP address range of "
                f"virtual network '{network.get('name')}'."
            )
            raise ArmError(400, "NetcfgInvalidSubnet", text)
        for other, taken in others:
            if wanted.overlaps(taken):
                text = (
                    f"Subnet '{context.name}' is not valid because its IP address range overlaps with that of an "
                    f"existing subnet '{other}' in virtual network."
                )
                raise ArmError(400, "NetcfgSubnetRangesOverlap", text)


def _security_group(context: Context) -> Properties:
    rules = [{**rule, "provisioningState": "Succeeded"} for rule in context.inputs.get("securityRules", ())]
    return {"resourceGuid": context.guid("resource"), "securityRules": rules, "defaultSecurityRules": []}


def _network(context: Context) -> Properties:
    return {
        "resourceGuid": context.guid("resource"),
        "subnets": context.inputs.get("subnets", []),
        "virtualNetworkPeerings": [],
    }


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


def _standard_is_static(inputs: Properties) -> Iterable[Failure]:
    sku, method = lookup(inputs, "sku.name"), reveal(inputs.get("publicIPAllocationMethod"))
    if sku == ["Standard"] and method not in {"Static", UNKNOWN}:
        yield Failure(
            "publicIPAllocationMethod", "a public address of SKU Standard needs publicIPAllocationMethod 'Static'"
        )


def _label_is_valid(inputs: Properties) -> Iterable[Failure]:
    rule = NameRule(
        pattern=r"[a-z][a-z0-9-]{1,61}[a-z0-9]",
        text="3 to 63 lower-case letters, digits or '-', starting with a letter",
    )
    for label in lookup(inputs, "dnsSettings.domainNameLabel"):
        yield from rule.check("dnsSettings.domainNameLabel", label)


def _endpoint(context: Context) -> Properties:
    group = context.id.rpartition("/providers/")[0]
    card = f"{group}/providers/Microsoft.Network/networkInterfaces/{context.name}.nic.{context.guid('nic')}"
    state = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    connections = [
        {"privateLinkServiceConnectionState": state, **connection, "provisioningState": "Succeeded"}
        for connection in context.inputs.get("privateLinkServiceConnections", ())
    ]
    return {"networkInterfaces": [{"id": card}], "privateLinkServiceConnections": connections, "customDnsConfigs": []}


TYPES = (
    ResourceType(
        pulumi_type="azure-native:network:VirtualNetwork",
        path=_NETWORK,
        names={"virtualNetworkName": _name(2, 64)},
        replace_on=("location",),
        defaults={"enableDdosProtection": False},
        checks=(_prefixes,),
        outputs=_network,
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
        checks=(_prefixes,),
        validate=_subnet_fits,
    ),
    ResourceType(
        pulumi_type="azure-native:network:NetworkSecurityGroup",
        path=_PROVIDER + "/networkSecurityGroups/{networkSecurityGroupName}",
        names={"networkSecurityGroupName": _name(1, 80)},
        outputs=_security_group,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PublicIPAddress",
        path=_PROVIDER + "/publicIPAddresses/{publicIpAddressName}",
        names={"publicIpAddressName": _name(1, 80)},
        replace_on=("location", "publicIPAddressVersion", "publicIPPrefix", "sku"),
        immutable=("zones",),
        defaults={
            "publicIPAllocationMethod": "Dynamic",
            "publicIPAddressVersion": "IPv4",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
        },
        nested_defaults={"sku": {"tier": "Regional"}},
        checks=(_standard_is_static, _label_is_valid, in_range("idleTimeoutInMinutes", 4, 30, _SPEC)),
        outputs=_address,
    ),
    ResourceType(
        pulumi_type="azure-native:network:NatGateway",
        path=_PROVIDER + "/natGateways/{natGatewayName}",
        names={"natGatewayName": _name(1, 80)},
        immutable=("zones",),
        defaults={"idleTimeoutInMinutes": 4},
        checks=(in_range("idleTimeoutInMinutes", 4, 120, _SPEC),),
        outputs=_guid_only,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateEndpoint",
        path=_ENDPOINT,
        names={"privateEndpointName": _name(2, 64)},
        replace_on=("subnet",),
        outputs=_endpoint,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateDnsZoneGroup",
        path=_ENDPOINT + "/privateDnsZoneGroups/{privateDnsZoneGroupName}",
        names={"privateDnsZoneGroupName": _name(1, 80)},
    ),
)

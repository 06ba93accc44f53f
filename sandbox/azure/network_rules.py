"""What Microsoft.Network refuses: address plans, and deletions of what is in use.

Texts of the deletions: Azure docs, troubleshoot "delete virtual network", "delete public IP address", and the errors
that issues quote; the subnet's and the public address's are documented in full.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import cache

from gpufleet.catalog import limits, regions
from sandbox import arm
from sandbox.azure.checks import Network, get, networks, values
from sandbox.azure.model import Context, normalise_location
from sandbox.errors import ArmError, Failure
from sandbox.tables import read_table
from sandbox.values import UNKNOWN, Properties, lookup, reveal

_NETWORK = "azure-native:network:"
# What stands in a subnet: these take addresses there, and keep it from being deleted.
_OCCUPANTS = ("managedclusters", "agentpools", "privateendpoints", "amlfilesystems")


def has_address_space(inputs: Properties) -> Iterable[Failure]:
    """A virtual network has an address space."""
    if get(inputs, "addressSpace.addressPrefixes") is None:
        yield Failure("addressSpace.addressPrefixes", "missing required property 'addressSpace.addressPrefixes'")


def spaces_are_disjoint(inputs: Properties) -> Iterable[Failure]:
    """The address ranges of one network do not overlap (Azure docs: virtual-networks-faq)."""
    seen: list[Network] = []
    for where, value in values(inputs, "addressSpace.addressPrefixes[]"):
        for network in networks(value):
            if any(network.version == other.version and network.overlaps(other) for other in seen):
                yield Failure(where, f"'{value}' overlaps another range of the network")
            if network.version == 4 and network.prefixlen > limits.value("azure.vnet_longest_prefix"):
                yield Failure(where, f"'{value}' is too small: the smallest range is a /29")
            seen.append(network)


def protection_has_a_plan(inputs: Properties) -> Iterable[Failure]:
    """DDoS network protection needs a plan (network API specification)."""
    if reveal(inputs.get("enableDdosProtection")) is True and inputs.get("ddosProtectionPlan") is None:
        yield Failure("enableDdosProtection", "DDoS protection needs a 'ddosProtectionPlan'")


def subnet_has_one_form(inputs: Properties) -> Iterable[Failure]:
    """A subnet has ``addressPrefix`` or ``addressPrefixes``."""
    one, many = inputs.get("addressPrefix"), inputs.get("addressPrefixes")
    if one is None and many is None and inputs.get("ipamPoolPrefixAllocations") is None:
        yield Failure("addressPrefix", "a subnet needs an 'addressPrefix'")
    if one is not None and many is not None:
        yield Failure("addressPrefixes", "'addressPrefix' and 'addressPrefixes' exclude each other")


def references_have_ids(inputs: Properties) -> Iterable[Failure]:
    """What a subnet refers to is named by its id."""
    for name in ("natGateway", "networkSecurityGroup", "routeTable"):
        if isinstance(reveal(inputs.get(name)), dict) and get(inputs, f"{name}.id") is None:
            yield Failure(f"{name}.id", f"missing required property '{name}.id'")


def subnet_is_large_enough(inputs: Properties) -> Iterable[Failure]:
    """Azure keeps five addresses of a subnet, so a /29 is the smallest (Azure docs: virtual-networks-faq)."""
    for path in ("addressPrefix", "addressPrefixes[]"):
        for where, value in values(inputs, path):
            for network in networks(value):
                if network.version == 4 and network.prefixlen > limits.value("azure.vnet_longest_prefix"):
                    yield Failure(where, f"'{value}' is too small: the smallest subnet is a /29")


def _subnet_prefixes(properties: Properties) -> list[str]:
    return [
        item
        for path in ("addressPrefixes[]", "addressPrefix")
        for item in lookup(properties, path)
        if isinstance(item, str)
    ]


def subnet_fits(context: Context) -> None:
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
        if not _inside(wanted, spaces):
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


def _inside(wanted: Network, spaces: Iterable[Network]) -> bool:
    return any(wanted.version == space.version and wanted.subnet_of(space) for space in spaces)  # type: ignore[arg-type]


def spaces_hold_their_subnets(context: Context) -> None:
    """An address range with subnets in it stays."""
    if context.previous is None:
        return
    spaces = networks(*lookup(context.inputs, "addressSpace.addressPrefixes[]"))
    for subnet in context.below(f"{context.id}/subnets/"):
        for prefix in _subnet_prefixes(subnet):
            if not _inside(ipaddress.ip_network(prefix), spaces):
                text = (
                    f"IpPrefix {prefix} on virtual network {context.name} has active allocations and cannot be deleted."
                )
                raise ArmError(400, "InUsePrefixCannotBeDeleted", text)


def used_prefix_stays(context: Context) -> None:
    """The range of a subnet with something in it stays."""
    if context.previous is None or _subnet_prefixes(context.previous) == _subnet_prefixes(context.inputs):
        return
    if any(_occupants(context, context.id)):
        prefix = ", ".join(_subnet_prefixes(context.previous))
        text = f"IpPrefix {prefix} on Subnet {context.name} has active allocations and cannot be deleted."
        raise ArmError(400, "InUsePrefixCannotBeDeleted", text)


def neighbours_in_one_region(context: Context) -> None:
    """A subnet's security group and NAT gateway, and an endpoint's subnet, are in the region of the resource."""
    network_id = context.id.rpartition("/subnets/")[0] if "/subnets/" in context.id else ""
    subnet = get(context.inputs, "subnet.id")
    mine = str((context.find(network_id) or {}).get("location", "")) if network_id else context.location
    others = [get(context.inputs, f"{name}.id") for name in ("networkSecurityGroup", "natGateway", "routeTable")]
    others.append(subnet.rpartition("/subnets/")[0] if isinstance(subnet, str) else None)
    for other in others:
        found = context.find(other) if isinstance(other, str) else None
        place = normalise_location(str((found or {}).get("location", mine)))
        if place != normalise_location(mine):
            raise arm.reference_not_found(context.id, str(other))


def _occupants(context: Context, subnet_id: str) -> Iterator[str]:
    for user in context.users(subnet_id):
        if arm.type_of(user).rpartition("/")[2].lower() in _OCCUPANTS:
            yield user


def subnet_is_unused(context: Context) -> None:
    """A subnet with something in it stays."""
    _require_empty(context, context.id)


def network_is_unused(context: Context) -> None:
    """A network goes with its subnets, so none of them may be in use."""
    for subnet in context.below(f"{context.id}/subnets/"):
        _require_empty(context, f"{context.id}/subnets/{subnet['name']}")


def _require_empty(context: Context, subnet_id: str) -> None:
    user = next(_occupants(context, subnet_id), None)
    if user is not None:
        text = (
            f"Subnet {arm.name_of(subnet_id)} is in use by {user} and cannot be deleted. In order to delete the "
            "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet."
        )
        raise ArmError(400, "InUseSubnetCannotBeDeleted", text)


def _require_unused(context: Context, code: str, what: str, advice: str) -> None:
    users = [user for user in context.users(context.id) if arm.type_of(user).lower().startswith("microsoft.network/")]
    if users:
        listed = ", ".join(users)
        raise ArmError(
            400,
            code,
            f"{what} {context.name} cannot be deleted because it is in use by the following resources: {listed}. "
            f"{advice}",
        )


def security_group_is_unused(context: Context) -> None:
    """A security group on a subnet stays."""
    advice = (
        "In order to delete the Network security group, remove the association with the resource(s). To learn how to "
        "do this, see aka.ms/deletensg."
    )
    _require_unused(context, "InUseNetworkSecurityGroupCannotBeDeleted", "Network security group", advice)


def gateway_is_unused(context: Context) -> None:
    """A NAT gateway on a subnet stays."""
    _require_unused(context, "InUseNatGatewayCannotBeDeleted", "Nat gateway", "Remove it from the subnets first.")


def address_is_unused(context: Context) -> None:
    """A public address on a NAT gateway stays."""
    users = [user for user in context.users(context.id) if arm.type_of(user).lower().startswith("microsoft.network/")]
    if users:
        text = (
            f"Public IP address {context.id} can not be deleted since it is still allocated to resource {users[0]}. In "
            "order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how "
            "to do this, see aka.ms/deletepublicip."
        )
        raise ArmError(400, "PublicIPAddressCannotBeDeleted", text)


def standard_is_static(inputs: Properties) -> Iterable[Failure]:
    """A Standard public address is static (Azure docs: public-ip-addresses)."""
    sku, method = lookup(inputs, "sku.name"), reveal(inputs.get("publicIPAllocationMethod"))
    if sku == ["Standard"] and method not in {"Static", UNKNOWN}:
        text = "a public address of SKU Standard needs publicIPAllocationMethod 'Static'"
        yield Failure("publicIPAllocationMethod", text)


def zones(inputs: Properties) -> Iterable[Failure]:
    """Zones are '1', '2' and '3'."""
    for where, value in values(inputs, "zones[]"):
        if isinstance(value, str) and value not in {"1", "2", "3"}:
            yield Failure(where, f"an availability zone is '1', '2' or '3', not '{value}'")


def region_has_zones(context: Context) -> None:
    """Zones are for regions that have some."""
    region = regions.find(context.location)
    if context.inputs.get("zones") and region is not None and region.has_zones is False:
        text = f"The resource '{context.id}' does not support availability zones at location '{context.location}'."
        raise ArmError(400, "LocationNotSupportAvailabilityZones", text)


def label_is_free(context: Context) -> None:
    """A DNS label is unique in its region, over all of Azure."""
    label = get(context.inputs, "dnsSettings.domainNameLabel")
    for other in context.of_type(f"{_NETWORK}PublicIPAddress") if isinstance(label, str) else ():
        same = get(other["inputs"], "dnsSettings.domainNameLabel") == label
        if same and normalise_location(str(other["outputs"].get("location", ""))) == context.location:
            text = f"DNS record {label}.{context.location}.cloudapp.azure.com is already used by another public IP."
            raise ArmError(400, "DnsRecordInUse", text)


def gateway_addresses_fit(context: Context) -> None:
    """A NAT gateway takes Standard addresses of its own region, one gateway an address, of its zone or of none.

    Source: Azure docs, nat-gateway-resource.
    """
    for item in context.inputs.get("publicIpAddresses") or ():
        address_id = str(item.get("id", ""))
        address = context.find(address_id) or {}
        if normalise_location(str(address.get("location", context.location))) != context.location:
            raise arm.reference_not_found(context.id, address_id)
        if get(address, "sku.name") not in {"Standard", "StandardV2"}:
            text = f"NAT Gateway {context.id} cannot use public IP address {address_id}: it needs SKU Standard."
            raise ArmError(400, "NatGatewayPublicIpAddressSkuNotSupported", text)
        zone = set(address.get("zones") or ())
        if context.inputs.get("zones") and zone and not set(context.inputs["zones"]) <= zone:
            text = f"NAT Gateway {context.id} and public IP address {address_id} are in different zones."
            raise ArmError(400, "NatGatewayAndPublicIpAddressZoneMismatch", text)
        users = [
            user for user in context.users(address_id) if arm.type_of(user).lower() == "microsoft.network/natgateways"
        ]
        if any(user.lower() != context.id.lower() for user in users):
            text = f"Public IP address {address_id} is already allocated to resource {users[0]}."
            raise ArmError(400, "PublicIPAddressInUse", text)


def endpoint_has_a_connection(inputs: Properties) -> Iterable[Failure]:
    """A private endpoint has exactly one connection, automatic or manual (Azure docs: private-endpoint-overview)."""
    names = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    given = [reveal(inputs.get(name)) for name in names]
    if UNKNOWN not in given and sum(len(items) for items in given if isinstance(items, list)) != 1:
        yield Failure(names[0], "a private endpoint has exactly one connection")
    for name in names:
        for where, connection in values(inputs, f"{name}[]"):
            for key in ("name", "privateLinkServiceId"):
                if isinstance(connection, dict) and connection.get(key) is None:
                    yield Failure(f"{where}.{key}", f"a connection needs '{key}'")


def endpoint_names_its_subnet(inputs: Properties) -> Iterable[Failure]:
    """A private endpoint stands in a subnet."""
    if get(inputs, "subnet.id") is None:
        yield Failure("subnet.id", "missing required property 'subnet.id'")


def endpoint_group_exists(context: Context) -> None:
    """The target has the group (sub-resource) that the endpoint asks for."""
    for connection in context.inputs.get("privateLinkServiceConnections") or ():
        target = arm.type_of(str(connection.get("privateLinkServiceId", "")))
        known = _link_groups().get(target.lower())
        wanted = connection.get("groupIds") or []
        if known is not None and (len(wanted) != 1 or wanted[0] not in known):
            text = (
                f"Call to {target} failed. Error message: groupIds {wanted} of connection '{connection.get('name')}' "
                f"must be exactly one of {', '.join(known)}."
            )
            raise ArmError(400, "PrivateEndpointCreationNotAllowedAsInvalidGroupId", text)


@cache
def _link_groups() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for row in read_table("private_link_groups.csv", ("type", "group", "source")):
        groups.setdefault(row.text("type").lower(), []).append(row.text("group"))
    return groups


def endpoint_subnet_has_room(context: Context) -> None:
    """Each private endpoint takes an address of its subnet."""
    subnet_id = str(get(context.inputs, "subnet.id"))
    subnet = context.find(subnet_id) or {}
    size = sum(network.num_addresses for network in networks(*_subnet_prefixes(subnet)))
    taken = [
        user
        for user in context.users(subnet_id)
        if user.lower() != context.id.lower() and "privateendpoints" in user.lower()
    ]
    if size and len(taken) + 1 > size - limits.value("azure.subnet_reserved_addresses"):
        prefix = ", ".join(_subnet_prefixes(subnet))
        text = (
            f"Subnet {arm.name_of(subnet_id)} with address prefix {prefix} does not have enough capacity for 1 IP "
            "addresses."
        )
        raise ArmError(400, "SubnetIsFull", text)


def one_zone_group(context: Context) -> None:
    """An endpoint has one group of DNS zones (Azure docs: private-endpoint-dns-integration)."""
    groups = context.below(f"{arm.parent_of(context.id)}/privateDnsZoneGroups/")
    if any(group["name"].lower() != context.name.lower() for group in groups):
        text = f"Private endpoint {arm.parent_of(context.id)} has a private DNS zone group already; it can have one."
        raise ArmError(400, "PrivateDnsZoneGroupCountExceeded", text)


def service_policies_are_off(context: Context) -> None:
    """Its addresses are in a subnet whose policies for it are off (disable-private-link-service-network-policy)."""
    for configuration in context.inputs.get("ipConfigurations") or ():
        subnet = str(get(configuration, "subnet.id"))
        if (context.find(subnet) or {}).get("privateLinkServiceNetworkPolicies", "Enabled") != "Disabled":
            text = f"Private link service network policies of subnet {subnet} must be disabled."
            code = "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"
            raise ArmError(400, code, text)

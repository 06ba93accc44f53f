"""Microsoft.Network private DNS: zones and their links to virtual networks."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox import arm
from sandbox.azure.checks import get, only_location
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties

_ZONE = RESOURCE_GROUP + "/providers/Microsoft.Network/privateDnsZones/{privateZoneName}"


def _zone(_: Context) -> Properties:
    # Limits: Azure docs, azure-subscription-service-limits, "Private DNS".
    return {
        "maxNumberOfRecordSets": 25000,
        "maxNumberOfVirtualNetworkLinks": 1000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "numberOfRecordSets": 1,
        "numberOfVirtualNetworkLinks": 0,
        "numberOfVirtualNetworkLinksWithRegistration": 0,
    }


def _has_no_links(context: Context) -> None:
    """A zone with links stays (Azure docs: private-dns-privatednszone)."""
    links = context.records(f"{context.id}/virtualNetworkLinks/")
    if links:
        text = (
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
            f"'{links[0]['id']}'. Please delete all nested resources before deleting this resource."
        )
        raise ArmError(409, "CannotDeleteResource", text)


def _zone_is_unused(context: Context) -> None:
    """A zone that an endpoint's zone group writes its records into stays."""
    users = [user for user in context.users(context.id) if "/privatednszonegroups/" in user.lower()]
    if users:
        text = f"Private DNS zone {context.id} is used by {users[0]} and cannot be deleted."
        raise ArmError(409, "CannotDeleteResource", text)


def _names_a_network(inputs: Properties) -> Iterable[Failure]:
    if get(inputs, "virtualNetwork.id") is None:
        yield Failure("virtualNetwork.id", "missing required property 'virtualNetwork.id'")


def _network(inputs: Properties) -> str:
    return str(get(inputs, "virtualNetwork.id")).lower()


def _network_is_linked_once(context: Context) -> None:
    """A network is linked to a zone's name once, and registers its machines in one zone.

    Source: Azure docs, private-dns-virtual-network-links.
    """
    zone = arm.name_of(arm.parent_of(context.id)).lower()
    for other in context.of_type(_LINK):
        if _network(other["inputs"]) != _network(context.inputs):
            continue
        if arm.name_of(arm.parent_of(other["id"])).lower() == zone:
            text = (
                "A virtual network cannot be linked to multiple zones with overlapping namespaces: "
                f"'{zone}' is linked by {other['id']}."
            )
            raise ArmError(400, "BadRequest", text)
        if context.inputs.get("registrationEnabled") and other["inputs"].get("registrationEnabled"):
            text = (
                "A virtual network cannot be linked to multiple zones with auto-registration enabled: see "
                f"{other['id']}."
            )
            raise ArmError(400, "BadRequest", text)


_LINK = "azure-native:privatedns:VirtualNetworkLink"

TYPES = (
    ResourceType(
        pulumi_type="azure-native:privatedns:PrivateZone",
        path=_ZONE,
        names={
            "privateZoneName": NameRule(
                pattern=r"(?=.{1,63}$)[\w-]+(\.[\w-]+)+",
                text="a DNS name of 1 to 63 characters with at least two labels",
            )
        },
        autoname=None,
        replace_on=("location",),
        checks=(only_location("global"),),
        delete_rules=(_has_no_links, _zone_is_unused),
        outputs=_zone,
    ),
    ResourceType(
        pulumi_type=_LINK,
        path=_ZONE + "/virtualNetworkLinks/{virtualNetworkLinkName}",
        names={
            "virtualNetworkLinkName": NameRule(
                pattern=r"[A-Za-z0-9]([-\w.]{0,78}\w)?",
                text="1 to 80 letters, digits, '_', '-' or '.', starting with a letter or digit",
            )
        },
        replace_on=("location",),
        immutable=("virtualNetwork.id",),
        defaults={"registrationEnabled": False, "resolutionPolicy": "Default"},
        checks=(only_location("global"), _names_a_network),
        rules=(_network_is_linked_once,),
        outputs=lambda _: {"virtualNetworkLinkState": "Completed"},
    ),
)

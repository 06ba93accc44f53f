"""Microsoft.Network private DNS: zones and their links to virtual networks."""

from __future__ import annotations

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, only_location
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
        outputs=_zone,
    ),
    ResourceType(
        pulumi_type="azure-native:privatedns:VirtualNetworkLink",
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
        checks=(only_location("global"),),
        outputs=lambda _: {"virtualNetworkLinkState": "Completed"},
    ),
)

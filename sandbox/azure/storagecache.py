"""Microsoft.StorageCache: Azure Managed Lustre."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gpufleet.catalog import lustre
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, reveal


def _sku_name(inputs: Properties) -> object:
    sku = reveal(inputs.get("sku"))
    return sku.get("name") if isinstance(sku, dict) else None


def _capacity(inputs: Properties) -> Iterable[Failure]:
    name, capacity = _sku_name(inputs), reveal(inputs.get("storageCapacityTiB"))
    if name is None or name is UNKNOWN:
        return
    if name not in lustre.names():
        known = ", ".join(map(repr, lustre.names()))
        yield Failure("sku.name", f"'sku.name' must be one of {known}, but got '{name}'")
    elif isinstance(capacity, int | float):
        sku = lustre.get(str(name))
        if capacity < sku.min_tib or capacity % sku.step_tib:
            text = f"{name} comes in multiples of {sku.step_tib} TiB from {sku.min_tib} TiB, not {capacity} TiB"
            yield Failure("storageCapacityTiB", text)


def _zones(inputs: Properties) -> Iterable[Failure]:
    zones = reveal(inputs.get("zones"))
    if isinstance(zones, list) and len(zones) != 1:
        yield Failure("zones", f"a Lustre file system is in exactly one zone, here are {len(zones)}")


def _management_address(context: Context) -> str:
    """The first address of the file system's subnet that Azure gives away: it keeps the first four."""
    subnet = context.find(str(context.inputs.get("filesystemSubnet"))) or {}
    prefix = reveal(subnet.get("addressPrefix"))
    return str(ipaddress.IPv4Network(prefix)[4]) if isinstance(prefix, str) else ""


def _outputs(context: Context) -> Properties:
    address = _management_address(context)
    name = _sku_name(context.inputs)
    rate = lustre.get(str(name)).mbytes_per_s_per_tib if name in lustre.names() else 0
    return {
        "clientInfo": {
            "mgsAddress": address,
            "lustreVersion": "2.15.5",
            "mountCommand": f"mount -t lustre -o noatime,flock {address}@tcp:/lustrefs /lustre-fs",
            "containerStorageInterface": {"persistentVolume": "", "persistentVolumeClaim": "", "storageClass": ""},
        },
        "health": {"state": "Available", "statusCode": "200", "statusDescription": "amlFilesystem is ok."},
        "throughputProvisionedMBps": int(rate * context.inputs.get("storageCapacityTiB", 0)),
    }


TYPES = (
    ResourceType(
        pulumi_type="azure-native:storagecache:AmlFilesystem",
        path=RESOURCE_GROUP + "/providers/Microsoft.StorageCache/amlFilesystems/{amlFilesystemName}",
        names={
            "amlFilesystemName": NameRule(
                pattern=r"[0-9a-zA-Z][-0-9a-zA-Z_]{0,78}[0-9a-zA-Z]",
                text="2 to 80 letters, digits, '-' or '_', starting and ending with a letter or digit",
                source="storagecache API specification 2024-03-01",
            )
        },
        # Size, SKU, subnet, zone, identity and blob integration are fixed (Azure Managed Lustre docs,
        # create-file-system-portal); the API specification marks them create-only, so the provider replaces: that is
        # loss of data.
        replace_on=("filesystemSubnet", "hsm", "identity", "location", "sku", "storageCapacityTiB", "zones"),
        defaults={"rootSquashSettings": {"mode": "None", "status": ""}},
        checks=(_capacity, _zones),
        outputs=_outputs,
    ),
)

"""Microsoft.StorageCache: Azure Managed Lustre."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, reveal

# MB/s per TiB, and TiB that are the minimum and the step. Source: Azure Managed Lustre docs, create-file-system-portal.
SKUS = {
    "AMLFS-Durable-Premium-40": (40, 48),
    "AMLFS-Durable-Premium-125": (125, 16),
    "AMLFS-Durable-Premium-250": (250, 8),
    "AMLFS-Durable-Premium-500": (500, 4),
}


def _sku_name(inputs: Properties) -> object:
    sku = reveal(inputs.get("sku"))
    return sku.get("name") if isinstance(sku, dict) else None


def _capacity(inputs: Properties) -> Iterable[Failure]:
    name, capacity = _sku_name(inputs), reveal(inputs.get("storageCapacityTiB"))
    if name is None or name is UNKNOWN:
        return
    if name not in SKUS:
        yield Failure("sku.name", f"'sku.name' must be one of {', '.join(map(repr, SKUS))}, but got '{name}'")
    elif isinstance(capacity, int | float):
        step = SKUS[str(name)][1]
        if capacity < step or capacity % step:
            yield Failure(
                "storageCapacityTiB", f"{name} comes in multiples of {step} TiB from {step} TiB, not {capacity} TiB"
            )


def _zones(inputs: Properties) -> Iterable[Failure]:
    zones = reveal(inputs.get("zones"))
    if isinstance(zones, list) and len(zones) != 1:
        yield Failure("zones", f"a Lustre file system is in exactly one zone, here are {len(zones)}")


def _outputs(context: Context) -> Properties:
    address = f"10.{int(context.token('mgs', 2), 16)}.{int(context.token('host', 2), 16)}.4"
    rate, _ = SKUS.get(str(_sku_name(context.inputs)), (0, 0))
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

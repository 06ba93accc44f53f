"""Microsoft.StorageCache: Azure Managed Lustre."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gpufleet.catalog import lustre, regions
from sandbox import arm
from sandbox.azure.checks import get, matches, networks, values
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, normalise_location
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, reveal


def _sku_name(inputs: Properties) -> object:
    sku = reveal(inputs.get("sku"))
    return sku.get("name") if isinstance(sku, dict) else None


def _capacity(inputs: Properties) -> Iterable[Failure]:
    name, capacity = _sku_name(inputs), reveal(inputs.get("storageCapacityTiB"))
    if name is UNKNOWN:
        return
    if name is None:
        yield Failure("sku.name", "missing required property 'sku.name'")
    elif name not in lustre.names():
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


def _zone_names(inputs: Properties) -> Iterable[Failure]:
    for where, zone in values(inputs, "zones[]"):
        if isinstance(zone, str) and zone not in {"1", "2", "3"}:
            yield Failure(where, f"an availability zone is '1', '2' or '3', not '{zone}'")


def _identity_type(inputs: Properties) -> Iterable[Failure]:
    """An identity is user-assigned or none (storagecache API specification)."""
    if get(inputs, "identity.type") == "UserAssigned" and get(inputs, "identity.userAssignedIdentities") in (None, []):
        yield Failure("identity.userAssignedIdentities", "a user-assigned identity names one")


def _prefixes(inputs: Properties) -> Iterable[Failure]:
    """Import prefixes start with '/' and none begins with another (storagecache API specification)."""
    path = "hsm.settings.importPrefixesInitial[]"
    given = [(where, value) for where, value in values(inputs, path) if isinstance(value, str)]
    for where, value in given:
        if not value.startswith("/"):
            yield Failure(where, f"'{value}' must start with '/'")
        for other_where, other in given:
            if other_where != where and value.startswith(other) and (len(other) < len(value) or other_where < where):
                yield Failure(where, f"'{value}' overlaps '{other}': no prefix may begin with another")


def _containers_differ(inputs: Properties) -> Iterable[Failure]:
    """Data and logging containers are two (Azure Managed Lustre docs: amlfs-prerequisites)."""
    data, logs = (get(inputs, f"hsm.settings.{name}") for name in ("container", "loggingContainer"))
    if isinstance(data, str) and data == logs:
        yield Failure("hsm.settings.loggingContainer", "the logging container must not be the data container")


def _root_squash(inputs: Properties) -> Iterable[Failure]:
    """Squashing needs to know whom to spare and whom to become (storagecache API specification)."""
    mode = get(inputs, "rootSquashSettings.mode")
    if mode in {"RootOnly", "All"}:
        for name in ("noSquashNidLists", "squashUID", "squashGID"):
            if get(inputs, f"rootSquashSettings.{name}") is None:
                yield Failure(f"rootSquashSettings.{name}", f"root squash mode '{mode}' needs '{name}'")


def _subnet(context: Context) -> Properties:
    return context.find(str(context.inputs.get("filesystemSubnet"))) or {}


def _subnet_is_large_enough(context: Context) -> None:
    """The subnet's size follows the capacity (Azure Managed Lustre docs: amlfs-prerequisites)."""
    capacity = context.inputs.get("storageCapacityTiB", 0)
    wanted = lustre.subnet_prefix(float(capacity))
    for network in networks(_subnet(context).get("addressPrefix"), *(_subnet(context).get("addressPrefixes") or ())):
        if network.prefixlen > wanted:
            text = (
                f"The subnet {context.inputs.get('filesystemSubnet')} is too small: a file system of {capacity:g} TiB "
                f"needs a /{wanted}, and {network} is smaller."
            )
            raise ArmError(400, "SubnetTooSmall", text)


def _subnet_is_its_own(context: Context) -> None:
    """The file system shares its subnet with nothing (Azure Managed Lustre docs: amlfs-prerequisites)."""
    for user in context.users(str(context.inputs.get("filesystemSubnet"))):
        kind = arm.type_of(user).rpartition("/")[2].lower()
        if user.lower() != context.id.lower() and kind in {
            "managedclusters",
            "agentpools",
            "privateendpoints",
            "amlfilesystems",
        }:
            subnet = context.inputs.get("filesystemSubnet")
            text = f"The subnet {subnet} is used by {user}: a file system needs one of its own."
            raise ArmError(400, "SubnetInUse", text)


def _subnet_is_near(context: Context) -> None:
    """The subnet's network is in the file system's region."""
    subnet = str(context.inputs.get("filesystemSubnet"))
    network = context.find(subnet.rpartition("/subnets/")[0]) or {}
    if normalise_location(str(network.get("location", context.location))) != context.location:
        raise arm.reference_not_found(context.id, subnet)


def _region_has_zones(context: Context) -> None:
    region = regions.find(context.location)
    if context.inputs.get("zones") and region is not None and region.has_zones is False:
        text = f"The resource '{context.id}' does not support availability zones at location '{context.location}'."
        raise ArmError(400, "LocationNotSupportAvailabilityZones", text)


def _account_has_keys(context: Context) -> None:
    """Blob integration needs shared keys and LRS or ZRS (Azure Managed Lustre docs: amlfs-prerequisites)."""
    container = get(context.inputs, "hsm.settings.container")
    account = context.find(str(container).partition("/blobServices/")[0]) if isinstance(container, str) else None
    if account is None:
        return
    if account.get("allowSharedKeyAccess") is False or get(account, "sku.name") not in _HSM_SKUS:
        text = f"The account of {container} is not fit for blob integration: it needs shared keys and LRS or ZRS."
        raise ArmError(400, "InvalidStorageAccount", text)


def _provider_may_read(context: Context) -> None:
    """Somebody has both roles on the account: Lustre's resource provider, whose object id each tenant has its own of.

    Azure says so with this error and only when it makes the file system (Azure Managed Lustre docs:
    amlfs-prerequisites). That new roles take up to five minutes to be known is not emulated.
    """
    container = get(context.inputs, "hsm.settings.container")
    if not isinstance(container, str) or context.previous is not None:
        return
    account = container.partition("/blobServices/")[0]
    held: dict[str, set[str]] = {}
    for record in context.of_type("azure-native:authorization:RoleAssignment"):
        scope = str(record["id"]).partition("/providers/Microsoft.Authorization/roleAssignments/")[0]
        if account.lower().startswith(scope.lower()):
            role = arm.name_of(str(record["inputs"].get("roleDefinitionId", ""))).lower()
            held.setdefault(str(record["inputs"].get("principalId")).lower(), set()).add(role)
    if not any(roles >= _HSM_ROLES for roles in held.values()):
        text = f"Storage Container {container} is not found or is inaccessible."
        raise ArmError(400, "InvalidParameter", text)


def _prefixes_of_export(inputs: Properties) -> Iterable[Failure]:
    """One path, from the root (storagecache API specification)."""
    prefixes = reveal(inputs.get("autoExportPrefixes"))
    if isinstance(prefixes, list) and len(prefixes) > 1:
        yield Failure("autoExportPrefixes", f"at most 1 prefix, here are {len(prefixes)}")
    for where, prefix in values(inputs, "autoExportPrefixes[]"):
        if isinstance(prefix, str) and not prefix.startswith("/"):
            yield Failure(where, f"'{prefix}' must start with '/'")


def _has_a_container(context: Context) -> None:
    """There is somewhere to export to."""
    file_system = context.find(context.id.partition("/autoExportJobs/")[0]) or {}
    if not get(file_system, "hsm.settings.container"):
        text = f"The file system {arm.name_of(str(file_system.get('id')))} has no blob integration (HSM) configured."
        raise ArmError(400, "InvalidParameter", text)


def _is_the_only_export(context: Context) -> None:
    """One job at a time (Azure Managed Lustre docs: auto-export)."""
    jobs = context.id.rpartition("/")[0].lower()
    for other in context.of_type("azure-native:storagecache:AutoExportJob"):
        if other["id"].lower().startswith(f"{jobs}/") and other["inputs"].get("adminStatus") != "Disable":
            text = f"The auto export job {arm.name_of(other['id'])} is already enabled on this file system."
            raise ArmError(409, "Conflict", text)


# Storage Account Contributor and Storage Blob Data Contributor.
_HSM_ROLES = {"17d1049b-9a84-46fb-8f53-869881c3d3ab", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"}
_HSM_SKUS = ("Standard_LRS", "Standard_ZRS", "Premium_LRS", "Premium_ZRS")
_SPEC = "storagecache API specification 2024-03-01"


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


_FILE_SYSTEM = RESOURCE_GROUP + "/providers/Microsoft.StorageCache/amlFilesystems/{amlFilesystemName}"
_NAME = NameRule(
    pattern=r"[0-9a-zA-Z][-0-9a-zA-Z_]{0,78}[0-9a-zA-Z]",
    text="2 to 80 letters, digits, '-' or '_', starting and ending with a letter or digit",
    source=_SPEC,
)

TYPES = (
    ResourceType(
        pulumi_type="azure-native:storagecache:AmlFilesystem",
        path=_FILE_SYSTEM,
        names={"amlFilesystemName": _NAME},
        # All of these are fixed (Azure Managed Lustre docs, create-file-system-portal). The API specification marks the
        # first ones create-only, so the provider replaces: that is loss of data. The others it tries to update.
        replace_on=("filesystemSubnet", "location", "storageCapacityTiB", "zones"),
        immutable=("encryptionSettings", "hsm", "identity", "sku"),
        defaults={"rootSquashSettings": {"mode": "None", "status": ""}},
        checks=(
            _capacity,
            _zones,
            _zone_names,
            _identity_type,
            _prefixes,
            _containers_differ,
            _root_squash,
            matches(
                "maintenanceWindow.timeOfDayUTC",
                r"([0-9]|[01][0-9]|2[0-3]):[0-5][0-9]",
                "a time such as '02:00'",
                _SPEC,
            ),
        ),
        rules=(
            _subnet_is_large_enough,
            _subnet_is_its_own,
            _subnet_is_near,
            _region_has_zones,
            _account_has_keys,
            _provider_may_read,
        ),
        outputs=_outputs,
    ),
    ResourceType(
        pulumi_type="azure-native:storagecache:AutoExportJob",
        path=_FILE_SYSTEM + "/autoExportJobs/{autoExportJobName}",
        names={"autoExportJobName": _NAME},
        replace_on=("location",),
        # Only the administrative status and tags can be updated (storagecache API specification: AutoExportJobUpdate).
        immutable=("autoExportPrefixes",),
        defaults={"adminStatus": "Enable", "autoExportPrefixes": ["/"]},
        checks=(_prefixes_of_export,),
        rules=(_has_a_container, _is_the_only_export),
        outputs=lambda _: {"state": "InProgress"},
    ),
)

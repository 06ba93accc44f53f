"""Storage of a training fabric: Managed Lustre and blob containers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from gpufleet.spec.base import EntraObjectId, Spec, Zone

ContainerName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=3, max_length=63)]
"""Name of a blob container (Azure resource-name-rules)."""

Prefix = Annotated[str, Field(pattern=r"^/", max_length=1024)]
"""Start of a path in the container or file system."""

# Lifecycle rules count days to 99,999 (storage lifecycle-management-overview).
_Days = Annotated[int | None, Field(ge=1, le=99_999)]


class Weekday(StrEnum):
    """Day of the Managed Lustre maintenance window, as Azure spells it."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class LustreSku(StrEnum):
    """Managed Lustre SKUs; the number is MB/s per TiB (azure-managed-lustre create-file-system-portal)."""

    DURABLE_PREMIUM_40 = "AMLFS-Durable-Premium-40"
    DURABLE_PREMIUM_125 = "AMLFS-Durable-Premium-125"
    DURABLE_PREMIUM_250 = "AMLFS-Durable-Premium-250"
    DURABLE_PREMIUM_500 = "AMLFS-Durable-Premium-500"


class MaintenanceWindow(Spec):
    """Weekly 30-minute window of Managed Lustre, required by the API."""

    day: Annotated[Weekday, Field(strict=False)] = Weekday.SUNDAY
    """Day of the week."""
    time_utc: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", alias="timeUtc")] = "02:00"
    """Start in UTC, HH:MM."""


class SquashMode(StrEnum):
    """Whose files Lustre books on another user (storagecache API specification)."""

    ROOT_ONLY = "RootOnly"
    """Those of root."""
    ALL = "All"
    """Everybody's."""


class RootSquash(Spec):
    """Root on a client is somebody else on the file system. Without it root may do everything."""

    mode: Annotated[SquashMode, Field(strict=False)] = SquashMode.ROOT_ONLY
    """Who is squashed."""
    no_squash_nids: Annotated[str, Field(min_length=1, max_length=1024)]
    """Lustre network ids that keep their own users, parted by ';', such as `10.0.0.[4-10]@tcp`."""
    uid: Annotated[int, Field(ge=1, le=4_294_967_295)] = 65534
    """User that squashed ones become; nobody unless given."""
    gid: Annotated[int, Field(ge=1, le=4_294_967_295)] = 65534
    """Group that squashed ones become; nobody unless given."""


class LustreHsm(Spec):
    """Blob integration of a file system (hierarchical storage management): files whose content is in a container.

    The container stands in a storage account of its own, for Lustre asks for shared-key access to it
    (azure-managed-lustre amlfs-prerequisites). All of it is fixed once the file system exists.
    """

    container: ContainerName
    """What is imported and archived to."""
    logging_container: ContainerName
    """Logs of imports and exports; another one in the same account."""
    import_prefixes: Annotated[list[Prefix], Field(min_length=1, max_length=10)] = ["/"]
    """What the file system shows of the container when it is made; its contents come when they are read."""
    auto_export_prefix: Prefix | None = None
    """Path whose changed files Lustre archives by itself; one at most. Unless given, archive jobs are the users'."""
    resource_provider_principal_id: EntraObjectId
    """Object id, in your tenant, of the service principal `HPC Cache Resource Provider`, which reads and writes the
    container: `az ad sp list --display-name "HPC Cache Resource Provider"`."""


class Lustre(Spec):
    """One Managed Lustre file system. Size, SKU, zone and subnet can't change later: a change is a new file system."""

    sku: Annotated[LustreSku, Field(strict=False)]
    """Throughput class; slower ones have larger steps and grow larger."""
    capacity_tib: Annotated[float | None, Field(gt=0, alias="capacityTiB")] = None
    """Derived from the workload unless given; a multiple of the SKU's step."""
    zone: Zone | None = None
    """The zone of the pools unless given."""
    maintenance: MaintenanceWindow = MaintenanceWindow()
    """When Azure may pause the file system for updates."""
    root_squash: RootSquash | None = None
    """Whether root on a client is root on the file system, which is so unless given."""
    hsm: LustreHsm | None = None
    """The container behind the file system; leave it out to fill the file system by copying."""


class BlobTier(StrEnum):
    """Storage account kinds that fit checkpoints and datasets."""

    STANDARD = "standard"
    PREMIUM = "premium"


class BlobMount(StrEnum):
    """How pods see a container as files (AKS create-volume-azure-blob-storage)."""

    NONE = "none"
    """Not at all: jobs use the blob API."""
    BLOBFUSE = "blobfuse"
    """By HTTPS with the nodes' identity, through a cache of blocks."""
    NFS = "nfs"
    """By NFS 3.0: no identity and no encryption, whoever reaches the private endpoint reads and writes."""


class BlobCache(StrEnum):
    """Where blobfuse keeps blocks that it has read."""

    MEMORY = "memory"
    """In memory, on any node."""
    NVME = "nvme"
    """On the nodes' local NVMe too: only pods on pools with `scratch: raid0` can mount it."""


class Lifecycle(Spec):
    """What happens to old blobs of a container, by the days since they were written."""

    prefix: Annotated[str, Field(min_length=1, max_length=900)] | None = None
    """Start of the names that it is about; all of the container unless given."""
    cool_after_days: _Days = None
    """Move to the cool tier: cheaper to keep, dearer to read. Not in premium accounts."""
    delete_after_days: _Days = None
    """Delete. Needs a container with `immutableDays` beside it, where the last good checkpoint is safe from it."""


class Container(Spec):
    """One blob container."""

    name: ContainerName
    """Its name."""
    mount: Annotated[BlobMount, Field(strict=False)] = BlobMount.NONE
    """none, blobfuse or nfs. nfs containers stand in an account of their own: it can't be turned on later."""
    cache: Annotated[BlobCache, Field(strict=False)] = BlobCache.MEMORY
    """memory or nvme; only with blobfuse."""
    lifecycle: Lifecycle | None = None
    """What happens to old blobs."""
    # Azure: 1 to 146,000 days (storage immutable-time-based-retention-policy-overview).
    immutable_days: Annotated[int | None, Field(ge=1, le=146_000)] = None
    """Days in which nobody can change or delete a blob once it is written: for copies of the last good checkpoint."""


def _container_kind(value: object) -> str:
    return "container block" if isinstance(value, dict | Container) else "container name"


class Blob(Spec):
    """Storage account for datasets and checkpoints, reached by private endpoint and Entra only."""

    tier: Annotated[BlobTier, Field(strict=False)] = BlobTier.STANDARD
    """standard for capacity; premium (block blobs on SSD) for many small reads."""
    containers: Annotated[
        list[
            Annotated[
                Annotated[Container, Tag("container block")] | Annotated[ContainerName, Tag("container name")],
                Discriminator(_container_kind),
            ]
        ],
        Field(min_length=1, max_length=50),
    ] = ["datasets", "checkpoints"]
    """Blob containers to make: a name, or a block with how it is mounted and kept."""

    def all_containers(self) -> list[Container]:
        """The containers, in order; a plain name is a container with every default."""
        return [one if isinstance(one, Container) else Container(name=one) for one in self.containers]


class Storage(Spec):
    """Storage of one training fabric."""

    lustre: Lustre | None = None
    """The parallel file system that feeds the GPUs; leave it out to go without."""
    blob: Blob = Blob()
    """The storage account that outlives the file system."""

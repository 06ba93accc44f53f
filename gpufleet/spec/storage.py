"""Storage of a training fabric: Managed Lustre and blob containers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Spec, Zone


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


class BlobTier(StrEnum):
    """Storage account kinds that fit checkpoints and datasets."""

    STANDARD = "standard"
    PREMIUM = "premium"


class Blob(Spec):
    """Storage account for datasets and checkpoints, reached by private endpoint and Entra only."""

    tier: Annotated[BlobTier, Field(strict=False)] = BlobTier.STANDARD
    """standard for capacity; premium (block blobs on SSD) for many small reads."""
    containers: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=3, max_length=63)]],
        Field(min_length=1, max_length=50),
    ] = ["datasets", "checkpoints"]
    """Blob containers to make."""


class Storage(Spec):
    """Storage of one training fabric."""

    lustre: Lustre | None = None
    """The parallel file system that feeds the GPUs; leave it out to go without."""
    blob: Blob = Blob()
    """The storage account that outlives the file system."""

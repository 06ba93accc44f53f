"""Azure VM sizes: GPUs, InfiniBand, memory, quota family (data/sizes.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.table import Row, read
from gpufleet.errors import ConfigurationError

_COLUMNS = (
    "sku",
    "series",
    "category",
    "quota_family_arm",
    "gpu_count",
    "gpu_model",
    "gpu_mem_gb_each",
    "vcpu",
    "memory_gib",
    "nvlink_gbytes_s_per_gpu",
    "ib_gbit_s_total",
    "rdma_capable",
    "temp_disk_gib",
    "local_nvme_total_gb",
    "network_mbps",
    "sources",
    "notes",
)


class InfinibandFeature(StrEnum):
    """What a size asks of the subscription-wide feature flag Microsoft.ContainerService/AKSInfinibandSupport."""

    REGISTERED = "registered"
    """Must be registered before the pool is made (AKS InfiniBand: prerequisites of Azure/aks-rdma-infiniband)."""
    UNREGISTERED = "unregistered"
    """Must not be registered: GB200 and GB300 (Azure/ai-infrastructure-on-azure infrastructure_references/aks)."""
    INDIFFERENT = "indifferent"
    """The size has no InfiniBand."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """One VM size. None is a value that no source gives."""

    name: str
    """ARM name, such as `Standard_ND96isr_H100_v5`."""
    series: str
    category: str
    """`gpu` or `cpu`."""
    quota_family: str
    """The family its vCPUs count against; compare without case (Azure's spellings differ)."""
    vcpus: int
    memory_gib: float
    gpus: int
    """Devices a node shows; a size with a sixth of a GPU shows one."""
    gpu_share: Fraction
    """Physical GPUs: 8, or 1/6 of one."""
    gpu_model: str | None
    gpu_memory_gb: float | None
    """Memory of one device in GB."""
    nvlink_gbytes_per_s: float | None
    """NVLink bandwidth of one GPU in GB/s, both directions together."""
    infiniband_gbits_per_s: float
    """InfiniBand bandwidth of the node in Gb/s; 0 without."""
    rdma: bool
    """Has InfiniBand and GPUDirect RDMA, so its pool is one InfiniBand domain."""
    temp_disk_gib: float | None
    local_nvme_gb: float | None
    network_mbits_per_s: float | None
    """Front-end (Ethernet) bandwidth of the node in Mb/s: what storage is reached through."""
    source: str
    note: str

    @property
    def is_gpu(self) -> bool:
        """Whether it has a GPU, whole or in part."""
        return self.category == "gpu"

    @property
    def gpu_vendor(self) -> str | None:
        """`NVIDIA` or `AMD`, None without a GPU."""
        return self.gpu_model.split()[0] if self.gpu_model else None

    @property
    def is_nd(self) -> bool:
        """Of the ND series: scarce 8- or 4-GPU nodes with no spare for a surge and no capacity reservation."""
        return self.name.startswith("Standard_ND")

    @property
    def infiniband_feature(self) -> InfinibandFeature:
        """What it asks of the InfiniBand feature flag, which holds for the whole subscription."""
        if not self.rdma:
            return InfinibandFeature.INDIFFERENT
        if self.gpu_model and self.gpu_model.startswith(("NVIDIA GB200", "NVIDIA GB300")):
            return InfinibandFeature.UNREGISTERED
        return InfinibandFeature.REGISTERED


class UnknownSizeError(ConfigurationError, LookupError):
    """No such size in the catalogue."""


def find(name: str) -> Size | None:
    """The size of this ARM name (exact spelling), or None."""
    return _sizes().get(name)


def get(name: str) -> Size:
    """The size of this ARM name. Raises UnknownSizeError that names the nearest one."""
    size = find(name)
    if size is None:
        if why := without_facts().get(name):
            raise UnknownSizeError(f"the catalogue can't describe {name}: {why}")
        near = nearest(name)
        raise UnknownSizeError(f"no VM size {name!r} in the catalogue" + (f"; the nearest is {near}" if near else ""))
    return size


def nearest(name: str) -> str | None:
    """The known name most like `name`, or None when nothing is alike."""
    return nearest_name(name, _sizes())


def names() -> tuple[str, ...]:
    """All known sizes, in the table's order."""
    return tuple(_sizes())


@lru_cache(maxsize=1)
def without_facts() -> dict[str, str]:
    """Sizes that Azure sells and the catalogue can't describe (data/sizes_without_facts.csv), each with the reason."""
    return {row.text("sku"): row.text("reason") for row in read("sizes_without_facts.csv", ("sku", "reason"))}


@lru_cache(maxsize=1)
def _sizes() -> dict[str, Size]:
    sizes: dict[str, Size] = {}
    for row in read("sizes.csv", _COLUMNS):
        size = _size(row)
        if size.name in sizes:
            raise row.error(f"{size.name} stands twice")
        sizes[size.name] = size
    return sizes


def _size(row: Row) -> Size:
    category = row.choice("category", "gpu", "cpu")
    share = _share(row)
    if (category == "gpu") != bool(share):
        raise row.error(f"category is {category} but gpu_count is {row.cells['gpu_count']!r}")
    return Size(
        name=row.text("sku"),
        series=row.text("series"),
        category=category,
        quota_family=row.text("quota_family_arm"),
        vcpus=row.integer("vcpu"),
        memory_gib=row.number("memory_gib"),
        gpus=0 if not share else max(1, int(share)),
        gpu_share=share,
        gpu_model=row.text("gpu_model") if category == "gpu" else None,
        gpu_memory_gb=row.optional_number("gpu_mem_gb_each"),
        nvlink_gbytes_per_s=row.optional_number("nvlink_gbytes_s_per_gpu"),
        infiniband_gbits_per_s=row.optional_number("ib_gbit_s_total") or 0.0,
        rdma=row.choice("rdma_capable", "yes", "no") == "yes",
        temp_disk_gib=row.optional_number("temp_disk_gib"),
        local_nvme_gb=row.optional_number("local_nvme_total_gb"),
        network_mbits_per_s=row.optional_number("network_mbps"),
        source=row.text("sources"),
        note=row.cells["notes"],
    )


def _share(row: Row) -> Fraction:
    text = row.cells["gpu_count"]
    try:
        return Fraction(text or 0)
    except (ValueError, ZeroDivisionError):
        raise row.error(f"gpu_count is {text!r}, not a number or a fraction") from None

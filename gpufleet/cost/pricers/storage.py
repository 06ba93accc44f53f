"""Storage: Managed Lustre and blobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpufleet.cost.charge import Category, Charge, Meter, ServiceMeter
from gpufleet.cost.item import Placed
from gpufleet.cost.money import Bounds, decimal
from gpufleet.cost.pricers.context import Context, undeclared, unknown
from gpufleet.sizing.storage import checkpoint_tib
from gpufleet.spec.training import TrainingFabric

_GB_PER_TIB = 1024
"""Azure's price list writes GB and counts 2^30 bytes (Azure Storage billing)."""


def lustre(context: Context, item: Placed) -> Iterator[Charge]:
    """The file system by the TiB, full or empty."""
    del context
    sku, capacity = item.text("sku", "name"), item.number("storageCapacityTiB")
    yield Charge(
        category=Category.STORAGE,
        meter=ServiceMeter("Managed Lustre", sku) if sku else "a Managed Lustre SKU that is not known yet",
        quantity=unknown("its capacity") if capacity is None else Bounds.fixed(capacity),
    )


def storage_account(context: Context, item: Placed) -> Iterator[Charge]:
    """What the account holds, by the GB and month; transactions are left out."""
    kind, sku, tier = item.text("kind"), item.text("sku", "name"), item.text("accessTier")
    meter: Meter | str = f"blobs of the kind {kind or '?'} {sku or '?'} {tier or ''}".rstrip()
    if kind and sku:
        meter = _CAPACITY.get((kind, sku, tier or ""), meter)
    kept, note = _kept_tib(context, item)
    quantity = undeclared("blobTiB") if kept is None else Bounds.fixed(decimal(kept) * _GB_PER_TIB)
    yield Charge(category=Category.STORAGE, meter=meter, quantity=quantity, note=note)


_CAPACITY: Mapping[tuple[str, str, str], Meter] = {
    ("StorageV2", "Standard_LRS", "Hot"): ServiceMeter("Blob Storage", "Hot LRS capacity"),
    ("StorageV2", "Standard_ZRS", "Hot"): ServiceMeter("Blob Storage", "Hot ZRS capacity"),
    ("BlockBlobStorage", "Premium_LRS", ""): ServiceMeter("Blob Storage", "Premium block blob LRS capacity"),
    ("BlockBlobStorage", "Premium_ZRS", ""): ServiceMeter("Blob Storage", "Premium block blob ZRS capacity"),
}


def _kept_tib(context: Context, item: Placed) -> tuple[float | None, str]:
    declared = context.environment.usage.blob_tib
    if declared is not None:
        return declared, "as declared"
    fabric = _fabric(context, item)
    if fabric is None or fabric.workload is None:
        return None, ""
    return fabric.workload.dataset_tib + 2 * checkpoint_tib(fabric.workload), "the dataset and two checkpoints"


def _fabric(context: Context, item: Placed) -> TrainingFabric | None:
    name = item.scope.name if item.scope else None
    return next((fabric for fabric in context.environment.training if fabric.name == name), None)
